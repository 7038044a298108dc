//! The organization that one works in: the own one, or for who runs the platform any other. The header says
//! which, always; another one than the own stands out.

use player::api as shared;
use web_sys::HtmlSelectElement;
use wire::OrganizationId;
use wire::access::Right;
use wire::api::{Me, Organization};
use yew::prelude::*;

use crate::api;
use crate::loaded::use_loaded_for;

/// Where one works.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Acting {
    /// Another organization than the own one.
    pub(crate) other: Option<OrganizationId>,
    /// Works in another one from now on; in the own one with none.
    pub(crate) go: Callback<Option<OrganizationId>>,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct AroundProps {
    pub(crate) children: Html,
}

/// Stands around everything that asks where one works.
#[component]
pub(crate) fn Anywhere(props: &AroundProps) -> Html {
    let other = use_state_eq(|| {
        let before = shared::acted_in();
        shared::act_in(before);
        before
    });
    let go = {
        let other = other.setter();
        Callback::from(move |next| {
            shared::act_in(next);
            other.set(next);
        })
    };
    let acting = Acting { other: *other, go };
    html! { <ContextProvider<Acting> context={acting}>{ props.children.clone() }</ContextProvider<Acting>> }
}

/// Where one works; nowhere else than in the own organization outside of [`Anywhere`].
#[hook]
pub(crate) fn use_acting() -> Acting {
    use_context::<Acting>().unwrap_or_else(|| Acting {
        other: None,
        go: Callback::noop(),
    })
}

/// Stands around the pages: they begin anew in another organization, and know what one may do there.
#[component]
pub(crate) fn Inside(props: &AroundProps) -> Html {
    let acting = use_acting();
    let me = use_context::<Me>();
    let may = me
        .as_ref()
        .is_some_and(|me| me.rights.has(Right::ManageOrganizations));
    {
        let go = acting.go.clone();
        // Nobody else goes on where somebody who signed out was.
        use_effect_with((), move |()| move || go.emit(None));
    }
    {
        let go = acting.go.clone();
        use_effect_with((acting.other, may), move |(other, may)| {
            if other.is_some() && !may {
                go.emit(None);
            }
        });
    }
    let Some(me) = me.map(|me| there(me, acting.other)) else {
        return html! {};
    };
    let key = acting.other.map_or_else(String::new, |id| id.to_string());
    html! {
        <ContextProvider<Me> context={me}>
            if let Some(id) = acting.other {
                <Elsewhere {id} />
            }
            <div class="pages" {key}>{ props.children.clone() }</div>
        </ContextProvider<Me>>
    }
}

/// What one may do there: who runs the platform does not watch what others record.
fn there(me: Me, other: Option<OrganizationId>) -> Me {
    let seeing = [Right::ViewLive, Right::ViewFootage, Right::Export];
    let rights = match other {
        None => me.rights,
        Some(_) => seeing
            .into_iter()
            .fold(me.rights, |rights, right| rights.without(right)),
    };
    Me { rights, ..me }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct ElsewhereProps {
    id: OrganizationId,
}

/// Says that it is not the own organization, and leads back.
#[component]
fn Elsewhere(props: &ElsewhereProps) -> Html {
    let acting = use_acting();
    let (organization, _) = use_loaded_for(props.id, 0, api::organization);
    let own = use_context::<Me>()
        .map(|me| me.organization_name)
        .unwrap_or_default();
    let back = acting.go.reform(|_: MouseEvent| None);
    let name = organization
        .value()
        .map_or("another organization", |one| one.name.as_str());
    html! {
        <div class="elsewhere" role="status">
            <p>{ "You work in " }<strong>{ name }</strong>{ ". What it records is not shown to you." }</p>
            <button type="button" class="quiet" onclick={back}>{ format!("Back to {own}") }</button>
        </div>
    }
}

/// The switch in the header, for who runs the platform; the organization's name for others.
#[component]
pub(crate) fn Switcher() -> Html {
    let acting = use_acting();
    let Some(me) = use_context::<Me>() else {
        return html! {};
    };
    if !me.rights.has(Right::ManageOrganizations) {
        return html! { <span class="organization">{ &me.organization_name }</span> };
    }
    html! { <Choose {me} {acting} /> }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct ChooseProps {
    me: Me,
    acting: Acting,
}

#[component]
fn Choose(props: &ChooseProps) -> Html {
    let Acting { other, go } = &props.acting;
    // Names may have changed, and there may be new ones, whenever one goes elsewhere.
    let (organizations, _) = use_loaded_for(*other, 0, |_| api::first_organizations());
    let own = props.me.organization;
    let onchange = go.reform(move |event: Event| {
        let value = event.target_unchecked_into::<HtmlSelectElement>().value();
        value.parse().ok().filter(|id| *id != own)
    });
    let others = organizations.value().map_or(&[][..], Vec::as_slice);
    let chosen = other.unwrap_or(own);
    let option = |id: OrganizationId, name: &str| {
        html! { <option key={id.to_string()} value={id.to_string()} selected={id == chosen}>{ name }</option> }
    };
    html! {
        <select class="organization" aria-label="Organization that you work in" {onchange}>
            { option(own, &props.me.organization_name) }
            if let Some(id) = other.filter(|id| !others.iter().any(|one| one.id == *id)) {
                { option(id, "Another organization") }
            }
            { for others.iter().filter(|one| one.id != own).map(|one: &Organization| option(one.id, &one.name)) }
        </select>
    }
}
