//! The audit log: who did what to what, when and from where; limited to what is looked for, and as a table.

mod diff;
mod filter;
mod line;
mod words;

use player::api::files;
use wire::access::Right;
use wire::api::{AuditEntry, Me, ServiceKey, User};
use yew::prelude::*;

use crate::api;
use crate::loaded::use_loaded_for;
use crate::pages::use_pages;
use crate::parts::{Outcome, run};
use filter::{Filter, FilterForm};
use line::Line;

const AUDIT: &str = "/api/v1/audit";

/// Who may have acted, for their names.
#[derive(Debug, Clone, PartialEq, Default)]
struct Actors {
    users: Vec<User>,
    keys: Vec<ServiceKey>,
}

#[component]
pub(crate) fn Audit() -> Html {
    let me = use_context::<Me>();
    let may = |right| me.as_ref().is_some_and(|me| me.rights.has(right));
    let asked = (may(Right::ManageUsers), may(Right::ManageKeys));
    let (actors, _) = use_loaded_for(asked, 0, |(may_users, may_keys)| async move {
        let users = if may_users {
            api::users().await?
        } else {
            Vec::new()
        };
        let keys = if may_keys { api::keys().await? } else { Vec::new() };
        Ok(Actors { users, keys })
    });
    // A form is drawn anew when something else than itself changes what is looked for.
    let filter = use_state_eq(|| (0_u32, Filter::default()));
    let (serial, wanted) = &*filter;
    let entries = use_pages::<AuditEntry>(wanted.address(AUDIT), 0);
    let on_filter = {
        let (filter, serial) = (filter.setter(), *serial);
        Callback::from(move |wanted| filter.set((serial, wanted)))
    };
    let from_elsewhere = {
        let (filter, serial) = (filter.setter(), *serial);
        Callback::from(move |wanted| filter.set((serial + 1, wanted)))
    };
    let only = {
        let (from_elsewhere, wanted) = (from_elsewhere.clone(), wanted.clone());
        Callback::from(move |subject| {
            from_elsewhere.emit(Filter {
                subject,
                ..wanted.clone()
            });
        })
    };
    let clear = from_elsewhere.reform(|()| Filter::default());
    let line = |entry: &AuditEntry| {
        html! { <Line key={entry.id.to_string()} entry={entry.clone()} only={only.clone()} /> }
    };
    html! {
        <section aria-label="Audit log">
            <div class="row between">
                <h2>{ "Audit log" }</h2>
                <Table address={wanted.address("/api/v1/audit.csv")} />
            </div>
            <FilterForm key={*serial} first={wanted.clone()} actors={actors.value().cloned().unwrap_or_default()} {on_filter} on_clear={clear} />
            { entries.show("Nothing was done that is looked for.", |list| html! {
                <ul class="lines">{ for list.iter().map(line) }</ul>
            }) }
        </section>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct TableProps {
    address: String,
}

/// Saves all of what is looked for as a table, not only what is shown.
#[component]
fn Table(props: &TableProps) -> Html {
    let outcome = use_state_eq(Outcome::default);
    let save = {
        let (outcome, address) = (outcome.clone(), props.address.clone());
        Callback::from(move |_: MouseEvent| {
            let address = address.clone();
            run(
                &outcome,
                async move { files::save(&address, "audit.csv").await },
                |()| Outcome::Nothing,
            );
        })
    };
    html! {
        <div class="row">
            { outcome.show() }
            <button type="button" class="quiet" onclick={save} disabled={outcome.is_busy()}>{ "Download as CSV" }</button>
        </div>
    }
}
