//! `wxmember call`: any signed call, and under `-v` everything that goes into its signature.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use wxmember::{Answer, Chain, Error, ErrorKind, FormValue, Plaintext, Reply, RetryPolicy};

use crate::{
    advice,
    args::call::{Call, Method, Source},
    call::{Caller, Watched, explain, put},
    exit,
    failure::{Failure, chain},
    input,
    language::t,
    message,
    print::{self, tell},
    profile::Profile,
};

/// Makes the call and prints the answer.
pub(crate) async fn run(arguments: &Call) -> Result<exit::Code, Failure> {
    check_sources(arguments)?;
    let last = Arc::new(Mutex::new(Vec::new()));
    let profile = {
        let (last, verbose) = (Arc::clone(&last), arguments.verbose);
        Profile::read_watched(&arguments.chosen.config, &arguments.chosen.profile, move |key| {
            let last = Arc::clone(&last);
            Arc::new(Watched::new(
                key,
                Arc::new(move |message: &[u8]| {
                    if verbose {
                        tell_message(message);
                    }
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = message.to_vec();
                }),
            ))
        })?
    };
    let body = body(arguments)?;
    let call = chain_of(arguments, &profile)?;
    match send(arguments.method, call, body.as_ref()).await? {
        Ok(reply) => answered(arguments, &reply),
        Err(error) => {
            let message = last.lock().unwrap_or_else(PoisonError::into_inner);
            Err(refused(&error, &message, &profile, arguments))
        }
    }
}

/// No value stands among the arguments, and stdin can be read once.
fn check_sources(arguments: &Call) -> Result<(), Failure> {
    let sources = || {
        let fields = arguments.seal.iter().filter_map(|field| field.source.as_ref());
        let parameters = arguments.seal_query.iter().map(|parameter| &parameter.source);
        fields.chain(parameters).chain(&arguments.json)
    };
    if sources().any(|source| *source == Source::Inline) {
        return Err(Failure::usage(
            "a value stands among the arguments, where every user of this machine sees it",
        )
        .hint("give `@FILE`, or `-` for stdin"));
    }
    if arguments.seal.iter().any(|field| field.pointer.is_empty()) {
        return Err(
            Failure::usage("`--seal` needs a JSON Pointer").hint("for example `--seal /phone_number=@FILE`")
        );
    }
    if arguments
        .seal_query
        .iter()
        .any(|parameter| parameter.name.is_empty())
    {
        return Err(Failure::usage("`--seal-query` needs the name of a parameter")
            .hint("for example `--seal-query encrypted_phone_number=@FILE`"));
    }
    if sources().filter(|source| **source == Source::Stdin).count() > 1 {
        return Err(
            Failure::usage("only one value can come from stdin").hint("put the others into files: `@FILE`")
        );
    }
    Ok(())
}

/// The body with every text in its place, not yet sealed.
fn body(arguments: &Call) -> Result<Option<Value>, Failure> {
    let mut body = match &arguments.json {
        Some(source) => {
            let bytes = read(source, "the body")?;
            let body = serde_json::from_slice(&bytes).map_err(|error| {
                // The reader's message may quote the text.
                Failure::new(format!(
                    "the body is not JSON (line {}, column {})",
                    error.line(),
                    error.column()
                ))
            })?;
            Some(body)
        }
        None if arguments.seal.is_empty() => None,
        None => Some(Value::Object(serde_json::Map::new())),
    };
    for field in &arguments.seal {
        let (Some(source), Some(body)) = (&field.source, &mut body) else {
            continue;
        };
        put(body, &field.pointer, plaintext(source)?).map_err(|_| {
            Failure::new(format!("the body has no place `{}`", field.pointer))
                .hint("every object and list on the way has to be there; only the last member may be new")
        })?;
    }
    Ok(body)
}

fn plaintext(source: &Source) -> Result<String, Failure> {
    let text = input::text(read(source, "the plaintext")?, "the plaintext")?;
    Ok(input::without_line_break(text))
}

fn read(source: &Source, what: &str) -> Result<Vec<u8>, Failure> {
    match source {
        Source::File(path) => input::file(path, what),
        // Refused before anything is read.
        Source::Inline => Err(Failure::usage(format!("{what} stands among the arguments"))),
        Source::Stdin => input::stdin(what),
    }
}

fn chain_of(arguments: &Call, profile: &Profile) -> Result<Chain, Failure> {
    if arguments.path.contains('?') {
        return Err(Failure::usage("the path holds a query").hint("give each part with `--query NAME=VALUE`"));
    }
    if arguments.path.contains("://") {
        return Err(Failure::usage("the path is a whole URL")
            .hint("the profile's `base_url` says where to send; give what comes after it"));
    }
    // One attempt: who looks for a reason wants to see each one.
    let client = profile.client.with_retry(RetryPolicy::never());
    let mut call = client.chain(&arguments.path);
    for pair in &arguments.params {
        call = call.param(&pair.name, &pair.value);
    }
    for pair in &arguments.query {
        call = call.query(&pair.name, &pair.value);
    }
    for parameter in &arguments.seal_query {
        call = call.seal_query(&parameter.name, plaintext(&parameter.source)?);
    }
    for field in &arguments.seal {
        call = call.seal(&field.pointer);
    }
    if arguments.verbose {
        tell_headers(arguments, profile);
    }
    Ok(call)
}

async fn send(
    method: Method,
    call: Chain,
    body: Option<&Value>,
) -> Result<Result<Reply<Answer>, Error>, Failure> {
    let no_body =
        |name: &str| Failure::usage(format!("{name} has no body")).hint("leave out `--json` and `--seal`");
    Ok(match (method, body) {
        (Method::Get, None) => call.get().await,
        (Method::Get, Some(_)) => return Err(no_body("GET")),
        (Method::Delete, None) => call.delete().await,
        (Method::Delete, Some(_)) => return Err(no_body("DELETE")),
        (Method::Post, None) => call.post_empty().await,
        (Method::Post, Some(body)) => call.post(body).await,
        (Method::Patch, Some(body)) => call.patch(body).await,
        (Method::Put, Some(body)) => call.put(body).await,
        (Method::Patch | Method::Put, None) => {
            return Err(Failure::usage("PATCH and PUT need a body").hint("give one with `--json @FILE`"));
        }
    })
}

fn answered(arguments: &Call, reply: &Reply<Answer>) -> Result<exit::Code, Failure> {
    let status = reply.status().to_string();
    match reply.request_id() {
        Some(id) => tell!("{}", t!("answered", status = status, id = id)),
        None => tell!("{}", t!("answered-without-id", status = status)),
    }
    let bytes = if arguments.open.is_empty() {
        reply.bytes().to_vec()
    } else {
        opened(arguments, reply)?.to_string().into_bytes()
    };
    if bytes.is_empty() {
        return Ok(exit::DONE);
    }
    print::bytes(&bytes)?;
    Ok(exit::DONE)
}

/// The answer with the wanted fields in clear.
fn opened(arguments: &Call, reply: &Reply<Answer>) -> Result<Value, Failure> {
    let what = |error: &dyn std::error::Error| Failure::new(chain(error));
    let mut value = reply.value().map_err(|error| what(&error))?;
    for pointer in &arguments.open {
        let plaintext: FormValue = reply.open(pointer).map_err(|error| what(&error))?;
        if let Some(place) = value.pointer_mut(pointer) {
            *place = plaintext.expose().into();
        }
    }
    Ok(value)
}

fn refused(error: &Error, message: &[u8], profile: &Profile, arguments: &Call) -> Failure {
    // Of a call that came to no key it is the download that was signed last.
    let signed = advice::deciding(error);
    if signed.kind() == ErrorKind::Unauthorized {
        let merchant = profile.client.merchant();
        let caller = Caller {
            mchid: merchant.mchid(),
            serial: merchant.serial().as_str(),
            has_certificate: profile.has_certificate,
        };
        tell!("{}", t!("signature-needs"));
        for line in explain(message, signed.clock_offset(), caller) {
            tell!("  {line}");
        }
        tell!("");
    }
    let failure = Failure::new(advice::what(error));
    let is_of_query = |name: &str| {
        let sealed = arguments.seal_query.iter().map(|parameter| &parameter.name);
        let mut names = arguments.query.iter().map(|pair| &pair.name).chain(sealed);
        names.any(|known| known == name)
    };
    match advice::of_call(error, profile, is_of_query) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn tell_message(signed: &[u8]) {
    tell!("{}", t!("message-signed"));
    for line in message::lines(signed) {
        tell!("  {line}");
    }
}

/// The headers as they are sent; the signature is good for 300 seconds, so only its length is told.
fn tell_headers(arguments: &Call, profile: &Profile) {
    let merchant = profile.client.merchant();
    tell!("{}", t!("headers-sent"));
    tell!(
        "  Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=…,timestamp=…,serial_no=\"{}\",signature=…",
        merchant.mchid(),
        merchant.serial()
    );
    if let Some(id) = profile.client.sealing_key_id() {
        tell!("  Wechatpay-Serial: {id}");
    }
    tell!("  Accept: application/json");
    if arguments.json.is_some() || !arguments.seal.is_empty() {
        tell!("  Content-Type: application/json");
    }
    tell!("  User-Agent: wxmember/{}", env!("CARGO_PKG_VERSION"));
}
