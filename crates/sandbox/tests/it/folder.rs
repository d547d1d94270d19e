//! A folder that survives its sandbox, and starts that fail.

use serde_json::Value;
use wxmember_sandbox::{Sandbox, StartError};

use crate::client::import;

#[tokio::test]
async fn a_folder_keeps_its_keys_and_learns_new_addresses() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("sandbox");
    let settings = || -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join("sandbox.json")).unwrap()).unwrap()
    };
    let clock = || wxmember_sandbox::Clock::manual(crate::client::NOW);
    let first = Sandbox::builder()
        .with_folder(&folder)
        .with_clock(clock())
        .start()
        .await
        .unwrap();
    assert_eq!(settings()["base_url"], first.base_url());
    assert_eq!(settings()["control_url"], first.control_url());
    assert_eq!(
        settings()["merchant_serial"],
        *first.credentials().merchant_serial
    );
    assert_eq!(import(&first, "1", "13800138000").await.unwrap().status, 200);

    // Both run at once, so that the second cannot get the first one's ports.
    let second = Sandbox::builder()
        .with_folder(&folder)
        .with_clock(clock())
        .start()
        .await
        .unwrap();
    assert_ne!(first.base_url(), second.base_url());
    assert_eq!(settings()["base_url"], second.base_url());
    assert_eq!(
        first.credentials().merchant_key_pem,
        second.credentials().merchant_key_pem
    );
    assert_eq!(
        first.credentials().platform_key_pem,
        second.credentials().platform_key_pem
    );
    assert_eq!(second.members().len(), 0);
    let profile = std::fs::read_to_string(folder.join("wxmember.toml")).unwrap();
    assert!(profile.contains(&format!("base_url = \"{}\"", second.base_url())));
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let first = crate::client::sandbox().await;
    let address = first.base_url().strip_prefix("http://").unwrap().parse().unwrap();
    let error = crate::client::builder()
        .with_address(address)
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Bind { address: named, .. } if named == address));
    first.shutdown().await;
    // The address is free again.
    crate::client::builder()
        .with_address(address)
        .start()
        .await
        .unwrap();
}
