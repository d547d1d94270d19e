//! The policy behind the raw client's hooks: which key signs, which keys are believed, by which clock.

use std::sync::Arc;

use wxmember_client::Pipeline;
use wxmember_crypto::{KeyId, SignError};
use wxmember_signing::{
    Authorization, Request, SignatureHeaders, Verified, VerifyError, authorization, verify,
};

use crate::{Clock, Merchant, Trust, clock::new_nonce};

#[derive(Debug)]
pub(crate) struct SignedPipeline {
    pub(crate) merchant: Merchant,
    pub(crate) trust: Trust,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) user_agent: String,
    pub(crate) body_limit: usize,
}

impl Pipeline for SignedPipeline {
    fn authorize(&self, request: &Request<'_>) -> Result<Authorization, SignError> {
        let nonce = new_nonce().map_err(|_| SignError)?;
        authorization(
            self.merchant.identity(),
            self.merchant.key(),
            request,
            self.clock.now(),
            &nonce,
        )
    }

    fn verify(&self, headers: &SignatureHeaders<'_>, body: &[u8]) -> Result<Verified, VerifyError> {
        verify(headers, body, self.clock.now(), &self.trust)
    }

    fn answer_key(&self) -> KeyId {
        self.trust.sealing_key_id().clone()
    }

    fn user_agent(&self) -> &str {
        &self.user_agent
    }

    fn body_limit(&self) -> usize {
        self.body_limit
    }
}
