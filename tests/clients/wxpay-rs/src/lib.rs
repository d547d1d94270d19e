//! What the driver of the tests and the loop of the benchmark share: the crate `wxpay-rs` knows one host, and this sends
//! elsewhere what goes there.

use async_trait::async_trait;
use wxpay_rs::{
    WxPayResult,
    http::{HttpClient, ReqwestHttpClient, client::HttpResponse},
};

/// Sends to the sandbox what is meant for the one host that the crate knows.
pub struct Redirected {
    inner: ReqwestHttpClient,
    base_url: String,
}

impl Redirected {
    /// Sends to this address, which has no slash at its end, once.
    pub fn to(base_url: &str) -> WxPayResult<Self> {
        Ok(Self {
            inner: ReqwestHttpClient::builder().max_retries(0).build()?,
            base_url: base_url.to_owned(),
        })
    }

    fn url(&self, url: &str) -> String {
        url.replacen("https://api.mch.weixin.qq.com", &self.base_url, 1)
    }
}

#[async_trait]
impl HttpClient for Redirected {
    async fn get(&self, url: &str, headers: Vec<(String, String)>) -> WxPayResult<HttpResponse> {
        self.inner.get(&self.url(url), headers).await
    }

    async fn post(&self, url: &str, headers: Vec<(String, String)>, body: &str) -> WxPayResult<HttpResponse> {
        self.inner.post(&self.url(url), headers, body).await
    }

    async fn put(&self, url: &str, headers: Vec<(String, String)>, body: &str) -> WxPayResult<HttpResponse> {
        self.inner.put(&self.url(url), headers, body).await
    }

    async fn delete(&self, url: &str, headers: Vec<(String, String)>) -> WxPayResult<HttpResponse> {
        self.inner.delete(&self.url(url), headers).await
    }

    async fn patch(
        &self,
        url: &str,
        headers: Vec<(String, String)>,
        body: &str,
    ) -> WxPayResult<HttpResponse> {
        self.inner.patch(&self.url(url), headers, body).await
    }
}
