//! A merchant's folder with the known test keys, as `wxmember sandbox --dir` writes one, to be spoilt by tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// The private half of the platform's key, which only a sandbox's folder holds.
pub const PLATFORM_PRIVATE_KEY: &str = include_str!("../vectors/test_wechatpay_pubmode_key.pem");

/// A home with a merchant's folder `d` in it.
pub struct Folder {
    /// The home, removed when this is dropped.
    pub home: TempDir,
    /// The folder.
    pub path: PathBuf,
}

impl Folder {
    /// Writes the folder; requests would go to `base_url`.
    ///
    /// # Panics
    ///
    /// When it cannot be written, as all methods here.
    #[must_use]
    pub fn write(base_url: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder that can be written");
        let path = home.path().join("d");
        fs::create_dir(&path).expect("a folder that can be written");
        let folder = Self { home, path };
        folder.put(
            "apiclient_key.pem",
            include_str!("../vectors/test_merchant_key.pem"),
        );
        folder.put(
            "apiclient_cert.pem",
            include_str!("../vectors/test_merchant_cert.pem"),
        );
        folder.put(
            "pub_key.pem",
            include_str!("../vectors/test_wechatpay_pubmode_pub_key.pem"),
        );
        folder.put("apiv3_key.txt", "TestOnlyApiV3Key0123456789abcdef\n");
        folder.put(
            "wxmember.toml",
            &format!(
                "[profile.default]\nbase_url = \"{base_url}\"\nmchid = \"1900000109\"\n\
                 merchant_serial = \"4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6\"\n\
                 merchant_key = \"apiclient_key.pem\"\nmerchant_certificate = \"apiclient_cert.pem\"\n\
                 platform_key_id = \"PUB_KEY_ID_0119000001092026113000000000000001\"\nplatform_key = \"pub_key.pem\"\n\
                 apiv3_key_file = \"apiv3_key.txt\"\nbrand_id = \"1004\"\ncard_id = \"pbLatjvWOibDc5-TBnbUk1pD12o0\"\n"
            ),
        );
        folder
    }

    /// Writes a file that is its owner's alone.
    pub fn put(&self, name: &str, text: &str) {
        let path = self.path.join(name);
        fs::write(&path, text).expect("a folder that can be written");
        self.mode(name, 0o600);
    }

    /// Sets who may read a file.
    #[cfg(unix)]
    pub fn mode(&self, name: &str, bits: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.path.join(name), fs::Permissions::from_mode(bits))
            .expect("a folder that can be written");
    }

    /// Sets who may read a file, where that is not the system's way: does nothing.
    #[cfg(not(unix))]
    pub fn mode(&self, _: &str, _: u32) {}

    /// Leaves the profile no key of the platform but what the APIv3 key opens.
    pub fn download_certificates(&self) {
        self.replace(
            "wxmember.toml",
            "platform_key_id = \"PUB_KEY_ID_0119000001092026113000000000000001\"\nplatform_key = \"pub_key.pem\"\n",
            "",
        );
    }

    /// Changes a text of a file.
    pub fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path.join(name)).expect("a folder that can be written");
        assert!(text.contains(from), "{from}");
        self.put(name, &text.replacen(from, to, 1));
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path.join(name)).expect("a folder that can be written");
    }

    /// The text of the home's path, for snapshots.
    #[must_use]
    pub fn shown_home(&self) -> String {
        self.home.path().display().to_string()
    }

    /// The home's path.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

/// Nobody is asked there unless `--online` is given.
pub const NOWHERE: &str = "https://api.mch.weixin.qq.com";
