//! Hands what libFuzzer makes to [`wxmember_fuzz::authorization`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::authorization::run(data));
