//! Who may do what on the bus: the subjects of nodes, of the control plane and of who tells the bus whom to
//! trust. What is not named here is refused by the bus.
//!
//! Nodes and control plane are in accounts of their own, and streams are the control plane's. JetStream sends
//! its answers with its own rights wherever a request wants them: within one account, a node could have an
//! answer sent to another node's plan, or an empty one to the subject that deletes a stream. Across accounts an
//! answer comes back to the asker's account, where nothing of that kind is.

use wire::NodeId;
use wire::bus::{
    EVENT_SUBJECTS, HEAD_BUCKET, NODE_BUCKET, REQUEST_SUBJECTS, event_subject, inbox_prefix, kv_subject,
    plan_get_subject, plan_subject,
};

use super::nats_jwt::{Allow, Answers, Permissions, Shared, Sharing};

/// Beginning of the subjects at which the control plane hears answers.
pub const CONTROL_INBOX: &str = "_INBOX.control-plane";
/// The same for its user of the system account.
pub const SYSTEM_INBOX: &str = "_INBOX.system";
/// Takes the tokens of accounts.
pub const CLAIMS_UPDATE: &str = "$SYS.REQ.CLAIMS.UPDATE";

/// What nodes say, and ask of the control plane and of its streams.
const NODES_ASK: [Shared; 5] = [
    Shared::Service(EVENT_SUBJECTS),
    Shared::Service(REQUEST_SUBJECTS),
    Shared::Service("$KV.nodes.*"),
    Shared::Service("$KV.heads.*.*.*"),
    Shared::Service("$JS.API.DIRECT.GET.KV_plans.$KV.plans.*"),
];
/// What nodes hear.
const NODES_HEAR: Shared = Shared::Stream("cc.plan.*");
/// What is asked of nodes.
const ASKED_OF_NODES: Shared = Shared::Service("cc.node.*.*");

/// What the control plane's account shares with that of the nodes.
#[must_use]
pub fn control_shares(nodes: &str) -> Sharing {
    Sharing {
        exports: NODES_ASK.into_iter().chain([NODES_HEAR]).collect(),
        imports: vec![(nodes.to_owned(), ASKED_OF_NODES)],
    }
}

/// The other side of it.
#[must_use]
pub fn nodes_share(control: &str) -> Sharing {
    let imports = NODES_ASK.into_iter().chain([NODES_HEAR]);
    Sharing {
        exports: vec![ASKED_OF_NODES],
        imports: imports.map(|shared| (control.to_owned(), shared)).collect(),
    }
}

/// A request is answered once, within a minute.
const ANSWERS: Answers = Answers {
    max: 1,
    ttl: 60_000_000_000,
};

fn allow<const N: usize>(subjects: [&str; N]) -> Allow {
    Allow {
        allow: subjects.map(str::to_owned).to_vec(),
    }
}

/// A node: its own events, requests, status and heads; what it is asked, its own plan, its own inbox. Of
/// JetStream's API only the present value of its own plan.
#[must_use]
pub fn node(node: NodeId) -> Permissions {
    Permissions {
        publish: allow([
            &event_subject(node),
            &format!("cc.req.{node}.*"),
            &kv_subject(NODE_BUCKET, &node.to_string()),
            &kv_subject(HEAD_BUCKET, &format!("{node}.*.*")),
            &plan_get_subject(node),
        ]),
        subscribe: allow([
            &format!("cc.node.{node}.>"),
            &plan_subject(node),
            &format!("{}.>", inbox_prefix(node)),
        ]),
        answers: Some(ANSWERS),
    }
}

/// The control plane: everything that it does, in an account of its own.
#[must_use]
pub fn control() -> Permissions {
    Permissions {
        publish: allow([
            "cc.node.>",
            "cc.control.>",
            "$JS.API.>",
            "$JS.ACK.>",
            "$JS.FC.>",
            "$KV.>",
        ]),
        subscribe: allow([
            "cc.req.>",
            "cc.plan.>",
            "cc.control.>",
            &format!("{CONTROL_INBOX}.>"),
        ]),
        answers: Some(ANSWERS),
    }
}

/// Who tells the bus which nodes are revoked, in the system account.
#[must_use]
pub fn system() -> Permissions {
    Permissions {
        publish: allow([CLAIMS_UPDATE]),
        subscribe: allow([&format!("{SYSTEM_INBOX}.>")]),
        answers: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_of_a_node_names_it() {
        let id = NodeId::generate();
        let permissions = node(id);
        let subjects = permissions
            .publish
            .allow
            .iter()
            .chain(&permissions.subscribe.allow);
        for subject in subjects {
            let named = subject.split('.').any(|token| token == id.to_string());
            assert!(named, "{subject}");
        }
        assert_eq!(permissions.publish.allow.len(), 5);
    }

    #[test]
    fn nobody_but_the_control_plane_writes_plans() {
        let id = NodeId::generate();
        assert!(
            !node(id)
                .publish
                .allow
                .iter()
                .any(|one| one.starts_with("$KV.plans"))
        );
        assert_eq!(system().publish.allow, [CLAIMS_UPDATE]);
    }
}
