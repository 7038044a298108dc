//! Organizations and people, straight into the database.

use control_plane::app::password;
use control_plane::state::now;
use control_plane::store::users::UserRow;
use control_plane::store::{organizations, users};
use serde_json::{Value, json};
use wire::access::Role;
use wire::api::UserState;
use wire::{OrganizationId, UserId};

use super::World;

pub(crate) const PASSWORD: &str = "a password of the tests";

impl World {
    /// An organization without anything in it.
    pub(crate) async fn organization(&self, name: &str) -> OrganizationId {
        let (id, name) = (OrganizationId::generate(), name.to_owned());
        let store = &self.server.state.store;
        store
            .write(move |c| organizations::insert(c, id, &name, now()))
            .await
            .unwrap();
        id
    }

    /// A user who can sign in with [`PASSWORD`].
    pub(crate) async fn member(&self, organization: OrganizationId, login: &str, role: Role) -> UserId {
        let user = UserRow {
            id: UserId::generate(),
            organization,
            organization_name: String::new(),
            login: login.to_owned(),
            name: String::new(),
            role,
            state: UserState::Active,
            password_hash: password::hash(PASSWORD).unwrap(),
        };
        let id = user.id;
        let store = &self.server.state.store;
        store
            .write(move |c| users::insert(c, &user, now()))
            .await
            .unwrap();
        id
    }

    /// A user who has signed in, and the access token.
    pub(crate) async fn person(
        &self,
        organization: OrganizationId,
        login: &str,
        role: Role,
    ) -> (UserId, String) {
        let id = self.member(organization, login, role).await;
        let body = json!({"login": login, "password": PASSWORD});
        let answer = self
            .http
            .post(self.url("/api/v1/session"))
            .json(&body)
            .send()
            .await
            .unwrap();
        let session: Value = answer.json().await.unwrap();
        (
            id,
            session["access_token"]
                .as_str()
                .unwrap_or_else(|| panic!("{session}"))
                .to_owned(),
        )
    }
}
