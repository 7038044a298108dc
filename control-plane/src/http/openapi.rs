//! `/api/v1/openapi.json`: the OpenAPI 3.1 document, made from the code; `/api/docs/`: a browser for it.

use std::sync::{Arc, OnceLock};

use actix_web::web::{Path, ServiceConfig, get, resource};
use actix_web::{HttpResponse, web};
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, Required};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::Config;

use super::assets::guard;
use super::routes::Route;
use crate::Error;

/// Everything under `/api/v1` and `/player-api`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "CloudCam",
        description = "Cameras, footage and the people who watch it. Times are milliseconds since \
            1970-01-01T00:00:00Z. Errors are application/problem+json (RFC 9457) with stable codes.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    components(schemas(wire::api::Problem)),
    modifiers(&Common),
)]
struct Base;

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document =
        super::documents()
            .into_iter()
            .fold(utoipa::openapi::OpenApi::default(), |mut all, one| {
                all.merge(one);
                all
            });
    let base = Base::openapi();
    document.info = base.info;
    document.merge(
        base.components
            .map_or_else(utoipa::openapi::OpenApi::default, |components| {
                utoipa::openapi::OpenApiBuilder::new()
                    .components(Some(components))
                    .build()
            }),
    );
    Common.modify(&mut document);
    document
}

/// The document as JSON text, with a line end.
///
/// # Errors
/// [`Error::Internal`] when it cannot be written.
pub fn json() -> Result<String, Error> {
    let mut text = document()
        .to_pretty_json()
        .map_err(|error| Error::Internal(error.into()))?;
    text.push('\n');
    Ok(text)
}

/// Every route that the document tells of.
#[must_use]
pub fn routes_listed() -> Vec<Route> {
    super::listed().concat()
}

/// What every operation has: errors, the organization it is about, conditional requests.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        }
        for (path, item) in &mut document.paths.paths {
            let operations = [
                (HttpMethod::Get, &mut item.get),
                (HttpMethod::Post, &mut item.post),
                (HttpMethod::Put, &mut item.put),
                (HttpMethod::Patch, &mut item.patch),
                (HttpMethod::Delete, &mut item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    complete(path, &method, operation);
                }
            }
        }
    }
}

fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let writes = *method != HttpMethod::Get;
    let signed_in = operation.security.is_some();
    let creates = operation.responses.responses.contains_key("201");
    let mut statuses = vec![
        ("400", "The request is wrong; `field` names the part."),
        ("429", "Too many requests: wait for `Retry-After` seconds."),
        (
            "503",
            "Something that this depends on is away: try again after `Retry-After` seconds.",
        ),
    ];
    if signed_in {
        statuses.push(("401", "Nobody is signed in, or the session is over."));
        statuses.push(("403", "Signed in, but not allowed."));
        statuses.push(("404", "Not there, or another organization's."));
        query(
            operation,
            "organization",
            "Organization to act in, for who runs the platform.",
            true,
        );
    }
    if writes {
        statuses.push(("409", "Its state does not allow this."));
        statuses.push(("413", "The body is too large."));
    }
    if signed_in && changes(path, method) {
        statuses.push(("412", "Somebody changed it since the `ETag` in `If-Match`."));
        header(
            operation,
            "If-Match",
            "ETag of what is to be changed; without it the last change wins.",
            "^(\\*|\"[0-9]{1,18}\")$",
        );
    }
    if creates {
        header(
            operation,
            "Idempotency-Key",
            "Makes repeating this request safe for 24 hours. One key is for one request in one organization.",
            "^[!-~]{1,200}$",
        );
    }
    for (status, description) in statuses {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| {
                ResponseBuilder::new()
                    .description(description)
                    .content(
                        "application/problem+json",
                        Content::new(Some(Ref::from_schema_name("Problem"))),
                    )
                    .build()
                    .into()
            });
    }
}

/// Whether a route changes something that is there, of which the caller may have seen an older revision.
fn changes(path: &str, method: &HttpMethod) -> bool {
    let steps = ["renew", "suspend", "resume", "restore", "transfer"];
    match method {
        HttpMethod::Patch | HttpMethod::Put | HttpMethod::Delete => path.contains('{'),
        HttpMethod::Post => steps.iter().any(|step| path.ends_with(&format!("}}/{step}"))),
        _ => false,
    }
}

fn query(operation: &mut Operation, name: &str, description: &str, is_id: bool) {
    let mut schema = ObjectBuilder::new().schema_type(Type::String);
    if is_id {
        schema = schema.format(Some(SchemaFormat::Custom("uuid".to_owned())));
    }
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(parameter.into());
}

fn header(operation: &mut Operation, name: &str, description: &str, pattern: &str) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some(pattern)),
        ))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(parameter.into());
}

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/api/v1/openapi.json").route(get().to(served)))
        .service(resource("/api/docs").route(get().to(to_browser)))
        .service(resource("/api/docs/{file:.*}").route(get().to(browser)));
}

async fn served() -> Result<HttpResponse, Error> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = match TEXT.get() {
        Some(text) => text,
        None => {
            let text = json()?;
            TEXT.get_or_init(|| text)
        }
    };
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(text.as_str()))
}

async fn to_browser() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header(("Location", "/api/docs/"))
        .finish()
}

async fn browser(file: Path<String>, config: web::Data<DocsConfig>) -> Result<HttpResponse, Error> {
    let found = utoipa_swagger_ui::serve(&file, config.0.clone())
        .map_err(|error| Error::Internal(anyhow::anyhow!("the API browser: {error}")))?
        .ok_or_else(|| Error::not_found("page"))?;
    let mut answer = HttpResponse::Ok();
    guard(&mut answer);
    Ok(answer
        .insert_header(("Cache-Control", "no-cache"))
        .content_type(found.content_type)
        .body(found.bytes.into_owned()))
}

/// Where the API browser finds the document.
pub struct DocsConfig(Arc<Config<'static>>);

impl Default for DocsConfig {
    fn default() -> Self {
        Self(Arc::new(Config::from("/api/v1/openapi.json").use_base_layout()))
    }
}
