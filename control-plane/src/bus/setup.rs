//! The stream and the buckets that the parts meet at; made here, waited for elsewhere.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{Context, kv, stream};
use wire::bus::{
    EVENT_STREAM, EVENT_SUBJECTS, HEAD_BUCKET, INDEX_CONSUMER, NODE_BUCKET, NODE_TTL_S, PLAN_BUCKET,
    PLAN_REPUBLISH,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes the event stream on so many servers, or brings its settings up to date.
///
/// # Errors
/// One sentence for the log.
pub(crate) async fn events(jetstream: &Context, replicas: usize) -> anyhow::Result<PullConsumer> {
    let config = stream::Config {
        name: EVENT_STREAM.to_owned(),
        subjects: vec![EVENT_SUBJECTS.to_owned()],
        storage: stream::StorageType::File,
        max_age: 30 * DAY,
        discard: stream::DiscardPolicy::Old,
        duplicate_window: Duration::from_secs(120),
        num_replicas: replicas,
        ..Default::default()
    };
    jetstream.create_or_update_stream(config).await?;
    let stream = jetstream.get_stream(EVENT_STREAM).await?;
    let config = pull::Config {
        durable_name: Some(INDEX_CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        // What a control plane had in its hands when it was killed comes to another one after this. What
        // comes twice because the database was slow changes nothing.
        ack_wait: Duration::from_secs(10),
        max_ack_pending: 10_000,
        ..Default::default()
    };
    // Also brings one of before up to date.
    Ok(stream.create_consumer(config).await?)
}

/// Makes a bucket on so many servers, or brings its settings up to date.
///
/// # Errors
/// One sentence for the log.
pub(crate) async fn bucket(
    jetstream: &Context,
    name: &'static str,
    replicas: usize,
) -> anyhow::Result<kv::Store> {
    let max_age = match name {
        NODE_BUCKET => Duration::from_secs(NODE_TTL_S),
        HEAD_BUCKET => Duration::from_secs(60 * 60),
        // Plans are for ever.
        PLAN_BUCKET => Duration::ZERO,
        other => anyhow::bail!("no bucket {other} is planned"),
    };
    let config = kv::Config {
        bucket: name.to_owned(),
        history: 1,
        num_replicas: replicas,
        max_age,
        // What nodes say anew within seconds need not be on disk.
        storage: match name {
            PLAN_BUCKET => stream::StorageType::File,
            _ => stream::StorageType::Memory,
        },
        // Nodes hear of changes without the right to make a consumer.
        republish: (name == PLAN_BUCKET).then(|| stream::Republish {
            source: PLAN_REPUBLISH.0.to_owned(),
            destination: PLAN_REPUBLISH.1.to_owned(),
            headers_only: false,
        }),
        ..Default::default()
    };
    Ok(jetstream.create_or_update_key_value(config).await?)
}
