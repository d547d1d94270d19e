//! Where the pipeline is plugged into the generated client. Every request and every answer passes here.
//!
//! `pre` puts the headers in order; `exec` signs the bytes that will be sent, sends them, reads the whole body,
//! verifies it, and only then lets the generated code decode it. Signing is in `exec` and not in `pre` because a typed
//! failure can leave `exec` and not `pre`. A call that the document does not describe takes the same way
//! ([`Client::exchange`]).

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use progenitor_client::{ClientHooks, ClientInfo, Error, OperationInfo, ResponseValue};
use wxmember_crypto::KeyId;
use wxmember_signing::{Request, SignatureHeaders};

use crate::{BodyFault, Pipeline, Refusal, Unsigned, generated::Client};

impl Client {
    /// Sends a request that the document need not describe, on the same way as every other: signed, verified, read whole.
    ///
    /// `target` is path and query, already percent-encoded. `serial` names the key that sealed fields of the body.
    ///
    /// # Errors
    ///
    /// As the generated operations; [`Refusal::take`] gets the reason out.
    pub async fn exchange(
        &self,
        method: Method,
        target: &str,
        serial: Option<&KeyId>,
        body: Option<Bytes>,
    ) -> Result<ResponseValue<Bytes>, Error<()>> {
        let mut request = self
            .client()
            .request(method, format!("{}{target}", self.baseurl()));
        if let Some(serial) = serial {
            request = request.header(WECHATPAY_SERIAL, serial.as_str());
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, JSON).body(body);
        }
        let mut request = request.build().map_err(Error::CommunicationError)?;
        let info = OperationInfo {
            operation_id: "exchange",
        };
        self.pre(&mut request, &info).await?;
        let response = self
            .exec(request, &info)
            .await
            .map_err(Error::CommunicationError)?;
        let (status, headers) = (response.status(), response.headers().clone());
        // 202 is no success either: accepted, not done.
        if !status.is_success() || status == http::StatusCode::ACCEPTED {
            return Err(Error::UnexpectedResponse(response));
        }
        let body = response.bytes().await.map_err(Error::ResponseBodyError)?;
        Ok(ResponseValue::new(body, status, headers))
    }
}

impl ClientHooks<std::sync::Arc<dyn Pipeline>> for Client {
    async fn pre<E>(&self, request: &mut reqwest::Request, _: &OperationInfo) -> Result<(), Error<E>> {
        let pipeline = self.inner();
        let headers = request.headers_mut();
        // progenitor's own header; WeChat Pay knows nothing of it.
        headers.remove("api-version");
        headers
            .entry(header::ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        let text = |value: &str| HeaderValue::from_str(value).map_err(|e| Error::Custom(e.to_string()));
        headers.insert(header::USER_AGENT, text(pipeline.user_agent())?);
        if let (false, Some(key)) = (headers.contains_key(WECHATPAY_SERIAL), pipeline.answer_key()) {
            headers.insert(WECHATPAY_SERIAL, text(key.as_str())?);
        }
        *request.timeout_mut() = Some(pipeline.timeout());
        Ok(())
    }

    async fn exec(
        &self,
        mut request: reqwest::Request,
        _: &OperationInfo,
    ) -> reqwest::Result<reqwest::Response> {
        let pipeline = self.inner();
        if let Err(refusal) = sign(&mut request, &**pipeline).await {
            return Ok(refusal.into_response());
        }
        let response = self.client().execute(request).await?;
        Ok(receive(response, &**pipeline)
            .await
            .unwrap_or_else(Refusal::into_response))
    }
}

async fn sign(request: &mut reqwest::Request, pipeline: &dyn Pipeline) -> Result<(), Refusal> {
    let url = request.url();
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let body = match request.body() {
        Some(body) => body.as_bytes().ok_or(Refusal::StreamingBody)?,
        None => b"",
    };
    let subject = Request {
        method: request.method().as_str(),
        target: &target,
        body,
    };
    let authorization = pipeline.authorize(subject).await.map_err(Refusal::Sign)?;
    let mut value =
        HeaderValue::from_str(authorization.as_str()).map_err(|error| Refusal::Sign(Unsigned::new(error)))?;
    value.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, value);
    Ok(())
}

/// Reads the whole body and verifies it; what comes back can be decoded without another thought.
async fn receive(
    mut response: reqwest::Response,
    pipeline: &dyn Pipeline,
) -> Result<reqwest::Response, Refusal> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    pipeline.note(status.as_u16(), &headers);
    let body = match read(response, pipeline.body_limit()).await {
        Ok(body) => body,
        Err(fault) => {
            return Err(Refusal::Body {
                status: status.as_u16(),
                headers,
                fault,
            });
        }
    };
    if !status.is_success() {
        return Err(Refusal::Status {
            status: status.as_u16(),
            headers,
            body,
        });
    }
    if let Err(reason) = pipeline.verify(signature_headers(&headers), &body).await {
        return Err(Refusal::Unverified {
            status: status.as_u16(),
            headers,
            reason,
        });
    }
    let mut verified = http::Response::new(body);
    *verified.status_mut() = status;
    *verified.headers_mut() = headers;
    Ok(verified.into())
}

async fn read(mut response: reqwest::Response, limit: usize) -> Result<Bytes, BodyFault> {
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(BodyFault::TooLarge { limit });
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(BodyFault::Interrupted)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyFault::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn signature_headers(headers: &HeaderMap) -> SignatureHeaders<'_> {
    SignatureHeaders::collect(|name| headers.get(name).and_then(|value| value.to_str().ok()))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const WECHATPAY_SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");
