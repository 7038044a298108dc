//! Everything that can be said of a camera: fields, duplicates, quota, filters.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use wire::access::Role;
use wire::{GroupId, OrganizationId};

use crate::people::{camera, organization, organization_of, person};
use crate::support::{World, database};

/// Runs SQL for what no route offers.
pub(crate) async fn sql(world: &World, statement: String) {
    let store = &world.server.state.store;
    store
        .write(move |c| Ok(c.batch_execute(&statement)?))
        .await
        .unwrap();
}

/// Bytes as the test's database writes them.
pub(crate) fn blob(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    if database::is_postgres() {
        format!("'\\x{digits}'::bytea")
    } else {
        format!("x'{digits}'")
    }
}

pub(crate) async fn group(world: &World, organization: OrganizationId, name: &str) -> GroupId {
    let id = GroupId::generate();
    let (group, owner) = (blob(id.as_bytes()), blob(organization.as_bytes()));
    let values = format!("{group}, {owner}, '{name}', 0, 1");
    let columns = "id, organization, name, created, revision";
    sql(
        world,
        format!("INSERT INTO camera_group ({columns}) VALUES ({values})"),
    )
    .await;
    id
}

pub(crate) async fn quota(world: &World, organization: OrganizationId, cameras: u32) {
    let id = blob(organization.as_bytes());
    sql(
        world,
        format!("UPDATE organization SET quota_cameras = {cameras} WHERE id = {id}"),
    )
    .await;
}

fn at(camera: &Value) -> String {
    format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap())
}

#[tokio::test]
async fn every_field_is_kept_changed_and_cleared() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let organization = organization_of(&world, &token).await;
    let (one, other) = (
        group(&world, organization, "Hall").await,
        group(&world, organization, "Yard").await,
    );
    let body = json!({
        "name": "Door", "url": "rtsp://10.0.0.5/s1", "sub_url": "rtsp://admin:secret@10.0.0.5/s2",
        "site": " Hall 3 ", "tags": ["North", "indoor", "north"], "group": one.to_string(),
        "time_zone": "europe/berlin", "transport": "udp", "reader": "retina", "audio": true,
        "recording": false, "segment_s": 4, "object_s": 120, "notes": "ladder\nneeded",
    });
    let (status, made) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    for (field, expected) in [
        ("sub_url", json!("rtsp://10.0.0.5/s2")),
        ("username", json!("admin")),
        ("site", json!("Hall 3")),
        ("tags", json!(["north", "indoor"])),
        ("group", json!(one.to_string())),
        ("time_zone", json!("Europe/Berlin")),
        ("transport", json!("udp")),
        ("reader", json!("retina")),
        ("recording", json!(false)),
        ("segment_s", json!(4)),
        ("object_s", json!(120)),
        ("notes", json!("ladder\nneeded")),
    ] {
        assert_eq!(made[field], expected, "{field}");
    }
    assert!(!made.to_string().contains("secret"));
    assert_eq!(
        world.call("GET", &at(&made), &token, None).await,
        (200, made.clone())
    );

    let (_, same) = world.call("PATCH", &at(&made), &token, Some(json!({}))).await;
    let mut expected = made.clone();
    expected["revision"] = json!(2);
    assert_eq!(same, expected, "what is absent stays");

    let patch = json!({"group": other.to_string(), "tags": ["x"], "object_s": 60, "time_zone": "UTC"});
    let (_, changed) = world.call("PATCH", &at(&made), &token, Some(patch)).await;
    assert_eq!(
        (&changed["group"], &changed["tags"], &changed["object_s"]),
        (&json!(other.to_string()), &json!(["x"]), &json!(60))
    );

    let nothing = json!({
        "sub_url": null, "username": null, "site": null, "tags": null, "group": null, "notes": null,
        "name": null, "time_zone": null,
    });
    let (status, cleared) = world.call("PATCH", &at(&made), &token, Some(nothing)).await;
    assert_eq!(status, 200, "{cleared}");
    assert_eq!(
        (&cleared["sub_url"], &cleared["username"], &cleared["group"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&cleared["site"], &cleared["tags"], &cleared["notes"]),
        (&json!(""), &json!([]), &json!(""))
    );
    assert_eq!(
        (&cleared["name"], &cleared["time_zone"]),
        (&json!("Door"), &json!("UTC"))
    );
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let foreign = organization(&world, "Other").await;
    let foreign = group(&world, foreign, "Theirs").await;
    let id = camera(&world, &token, "kept").await;
    for (field, value) in [
        ("sub_url", json!("file:///etc/passwd")),
        ("site", json!("x".repeat(101))),
        ("tags", json!(["a b"])),
        (
            "tags",
            json!((0..21).map(|i| format!("t{i}")).collect::<Vec<_>>()),
        ),
        ("group", json!(GroupId::generate().to_string())),
        ("group", json!(foreign.to_string())),
        ("time_zone", json!("Mars/Olympus")),
        ("segment_s", json!(1)),
        ("object_s", json!(601)),
        ("object_s", json!(5)),
        ("notes", json!("x".repeat(4001))),
        ("notes", json!("a\u{0}")),
    ] {
        let mut new = json!({"name": "x", "url": "rtsp://10.0.0.9/"});
        new[field] = value.clone();
        let (status, problem) = world.call("POST", "/api/v1/cameras", &token, Some(new)).await;
        assert_eq!(
            (status, &problem["field"]),
            (400, &json!(field)),
            "{value} {problem}"
        );
        let patch = json!({ field: value });
        let path = format!("/api/v1/cameras/{id}");
        let (status, problem) = world.call("PATCH", &path, &token, Some(patch)).await;
        assert_eq!(
            (status, &problem["field"]),
            (400, &json!(field)),
            "{value} {problem}"
        );
    }
    let (_, kept) = world
        .call("GET", &format!("/api/v1/cameras/{id}"), &token, None)
        .await;
    assert_eq!(kept["revision"], 1, "nothing was changed");
}

#[tokio::test]
async fn a_second_camera_at_an_address_is_meant_or_refused() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let body = |url: &str| json!({"name": "x", "url": url});
    let (_, first) = world
        .call("POST", "/api/v1/cameras", &token, Some(body("rtsp://10.0.0.5/a")))
        .await;
    let again = body("rtsp://u:p@10.0.0.5:554/%61");
    let (status, problem) = world
        .call("POST", "/api/v1/cameras", &token, Some(again.clone()))
        .await;
    assert_eq!((status, &problem["code"]), (409, &json!("duplicate_camera")));
    assert!(
        problem["title"]
            .as_str()
            .unwrap()
            .contains(first["id"].as_str().unwrap())
    );
    let mut meant = again.clone();
    meant["allow_duplicate"] = json!(true);
    let (status, second) = world.call("POST", "/api/v1/cameras", &token, Some(meant)).await;
    assert_eq!(status, 201, "{second}");

    let renamed = json!({"name": "y", "url": "rtsp://10.0.0.5/a"});
    assert_eq!(
        world.call("PATCH", &at(&second), &token, Some(renamed)).await.0,
        200,
        "its own address is no news"
    );
    let moved = json!({"url": "rtsp://10.0.0.6/", "password": "p"});
    world.call("PATCH", &at(&second), &token, Some(moved)).await;
    let mut back = json!({"url": "rtsp://10.0.0.5/a", "password": "p"});
    let (status, problem) = world
        .call("PATCH", &at(&second), &token, Some(back.clone()))
        .await;
    assert_eq!((status, &problem["code"]), (409, &json!("duplicate_camera")));
    back["allow_duplicate"] = json!(true);
    assert_eq!(world.call("PATCH", &at(&second), &token, Some(back)).await.0, 200);

    let tenant = organization(&world, "Other").await;
    let (_, other) = person(&world, tenant, "admin@other", Role::OrgAdmin).await;
    let theirs = body("rtsp://10.0.0.5/a");
    assert_eq!(
        world
            .call("POST", "/api/v1/cameras", &other, Some(theirs))
            .await
            .0,
        201,
        "another organization's network is another one"
    );
    for camera in [&first, &second] {
        world.call("DELETE", &at(camera), &token, None).await;
    }
    assert_eq!(
        world.call("POST", "/api/v1/cameras", &token, Some(again)).await.0,
        201,
        "a deleted camera is in nobody's way"
    );
}

#[tokio::test]
async fn the_quota_ends_adding() {
    let world = World::without_bus().await;
    let tenant = organization(&world, "Small").await;
    let (_, admin) = person(&world, tenant, "admin@small", Role::OrgAdmin).await;
    quota(&world, tenant, 1).await;
    let first = camera(&world, &admin, "a").await;
    let body = json!({"name": "b", "url": "rtsp://10.0.0.5/b"});
    let (status, problem) = world
        .call("POST", "/api/v1/cameras", &admin, Some(body.clone()))
        .await;
    assert_eq!((status, &problem["code"]), (409, &json!("quota_exceeded")));
    world
        .call("DELETE", &format!("/api/v1/cameras/{first}"), &admin, None)
        .await;
    assert_eq!(
        world.call("POST", "/api/v1/cameras", &admin, Some(body)).await.0,
        201,
        "deleted ones do not count"
    );
}

#[tokio::test]
async fn filters_narrow_the_list_page_by_page() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let organization = organization_of(&world, &token).await;
    let hall = group(&world, organization, "Hall").await.to_string();
    for (name, extra) in [
        (
            "Tür A",
            json!({"site": "Hall", "tags": ["north", "door"], "group": hall}),
        ),
        (
            "Gate_1",
            json!({"notes": "next to the TÜR of B", "tags": ["north-east"]}),
        ),
        ("100% sure", json!({"site": "Hall", "recording": false})),
    ] {
        let mut body = json!({"name": name, "url": format!("rtsp://10.0.0.5/{}", hex::encode(name))});
        for (key, value) in extra.as_object().unwrap() {
            body[key] = value.clone();
        }
        let (status, made) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
        assert_eq!(status, 201, "{made}");
    }
    let node = GroupId::generate();
    for (query, names) in [
        (String::new(), vec!["Tür A", "Gate_1", "100% sure"]),
        ("q=t%C3%9Cr".to_owned(), vec!["Tür A", "Gate_1"]),
        ("q=_".to_owned(), vec!["Gate_1"]),
        ("q=%25".to_owned(), vec!["100% sure"]),
        ("q=HALL".to_owned(), vec!["Tür A", "100% sure"]),
        ("q=!".to_owned(), vec![]),
        ("site=Hall".to_owned(), vec!["Tür A", "100% sure"]),
        ("site=hall".to_owned(), vec![]),
        ("tag=north".to_owned(), vec!["Tür A"]),
        ("tag=NORTH-east".to_owned(), vec!["Gate_1"]),
        ("tag=nort".to_owned(), vec![]),
        (format!("group={hall}"), vec!["Tür A"]),
        (format!("group={}", GroupId::generate()), vec![]),
        (format!("node={node}"), vec![]),
        ("recording=false".to_owned(), vec!["100% sure"]),
        (format!("recording=true&group={hall}&q=a"), vec!["Tür A"]),
    ] {
        assert_eq!(names_of(&world, &token, &query).await, names, "{query}");
    }
    for (query, field) in [
        ("tag=a+b", "tag"),
        ("group=x", "group"),
        ("node=x", "node"),
        ("recording=maybe", "recording"),
        ("q=%00", "q"),
        ("site=%00", "site"),
    ] {
        let path = format!("/api/v1/cameras?{query}");
        let (status, problem) = world.call("GET", &path, &token, None).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{query}");
    }
}

/// The names in a filtered list, read in pages of one.
async fn names_of(world: &World, token: &str, query: &str) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/cameras?limit=1&{query}{cursor}");
        let (status, page) = world.call("GET", &path, token, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
}

#[tokio::test]
async fn cameras_of_an_older_version_are_found_too() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    camera(&world, &token, "Old").await;
    sql(
        &world,
        "UPDATE camera SET address_key = '', search = ''".to_owned(),
    )
    .await;
    assert!(names_of(&world, &token, "q=old").await.is_empty());
    let store = &world.server.state.store;
    let filled = store.write(control_plane::store::cameras::fill_in).await.unwrap();
    assert_eq!(filled, 1);
    assert_eq!(names_of(&world, &token, "q=old").await, ["Old"]);
    let body = json!({"name": "x", "url": "rtsp://10.0.0.5/Old"});
    let (status, _) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    assert_eq!(status, 409);
}
