//! What helps to find a camera, and how its footage is cut.

use wasm_bindgen_futures::spawn_local;
use wire::access::Right;
use wire::api::{Camera, Group, Me, NewCamera};
use yew::prelude::*;

use super::{PartProps, said_of};
use crate::api;
use crate::entry::{Choice, Entry, described, remarks};

#[component]
pub(super) fn Details(props: &PartProps) -> Html {
    let (saved, failure, fields) = (props.saved.as_ref(), props.failure.as_ref(), &props.fields);
    let usual = NewCamera::default();
    let length = |of: fn(&Camera) -> u32, usual: u32| saved.map_or(usual, of).to_string();
    html! {
        <>
            <fieldset>
                <legend>{ "How it is found" }</legend>
                <Entry label="Tags" name="tags" node={fields.tags.clone()} placeholder="north, indoor"
                    first={saved.map(|c| c.tags.join(", ")).unwrap_or_default()} error={said_of(failure, "tags")} />
                <Grouped ..props.clone() />
                { notes(props) }
            </fieldset>
            <fieldset>
                <legend>{ "How its footage is cut" }</legend>
                <Entry label="Seconds of a segment" name="segment_s" node={fields.segment_s.clone()} kind="number" min="2" max="30" required=true
                    hint="Shorter: live pictures come sooner. Longer: less to ask for." first={length(|c| c.segment_s, usual.segment_s)}
                    error={said_of(failure, "segment_s")} />
                <Entry label="Seconds of an object" name="object_s" node={fields.object_s.clone()} kind="number" min="10" max="600" required=true
                    hint="So much footage is in one file." first={length(|c| c.object_s, usual.object_s)} error={said_of(failure, "object_s")} />
            </fieldset>
        </>
    }
}

fn notes(props: &PartProps) -> Html {
    let error = said_of(props.failure.as_ref(), "notes");
    let first = props
        .saved
        .as_ref()
        .map(|camera| camera.notes.clone())
        .unwrap_or_default();
    html! {
        <div class="entry">
            <label>
                { "Notes" }
                <textarea ref={props.fields.notes.clone()} name="notes" rows="3" maxlength="4000" ~defaultValue={first}
                    aria-invalid={error.is_some().then_some("true")} aria-describedby={described("notes", false, error.is_some())} />
            </label>
            { remarks("notes", "", error.as_ref()) }
        </div>
    }
}

/// The group it is in, for who may change that: who was granted a group sees its cameras.
#[component]
fn Grouped(props: &PartProps) -> Html {
    let groups = use_state_eq(|| None::<Vec<Group>>);
    let may = use_context::<Me>().is_some_and(|me| me.rights.has(Right::ManageCameras));
    let setter = groups.setter();
    use_effect_with(may, move |may| {
        if *may {
            spawn_local(async move { setter.set(api::groups().await.ok()) });
        }
    });
    // Before the groups are there, nothing can be chosen, and the group stays.
    let Some(groups) = &*groups else {
        return html! {};
    };
    let none = (String::new(), "None".to_owned());
    let each = groups
        .iter()
        .map(|group| (group.id.to_string(), group.name.clone()));
    let options: Vec<(String, String)> = std::iter::once(none).chain(each).collect();
    let first = props.saved.as_ref().and_then(|camera| camera.group);
    html! {
        <Choice label="Group" name="group" node={props.fields.group.clone()} {options} first={first.map(|id| id.to_string()).unwrap_or_default()}
            hint="What users were granted on the group counts for this camera." error={said_of(props.failure.as_ref(), "group")} />
    }
}
