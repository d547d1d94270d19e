//! What comes sealed with the APIv3 key, as it stands in the JSON of notifications and of downloaded certificates.

use std::ops::Deref;

use serde::Deserialize;
use wxmember_crypto::{ApiV3Key, ResourceError, SealedResource};

/// A sealed resource.
#[derive(Deserialize)]
pub(crate) struct Resource {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
    ciphertext: String,
}

impl Resource {
    /// Opens it into bytes that are wiped when they are dropped. The message that holds it was verified before, or is verified with what it brings.
    pub(crate) fn open(&self, key: &ApiV3Key) -> Result<impl Deref<Target = Vec<u8>> + use<>, ResourceError> {
        key.open_resource(&SealedResource {
            algorithm: &self.algorithm,
            nonce: &self.nonce,
            associated_data: self.associated_data.as_deref(),
            ciphertext: &self.ciphertext,
        })
    }
}
