//! Hands what libFuzzer makes to [`wxmember_fuzz::keys`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::keys::run(data));
