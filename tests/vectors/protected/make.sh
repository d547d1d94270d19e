#!/bin/sh
# Writes the key files of this folder anew, with the `openssl` command and nothing of ours.
# Salts are random, so the bytes differ each time; what they hold does not. OpenSSL 3 with its legacy provider.
set -eu
cd "$(dirname "$0")"
key=../test_merchant_key.pem
cert=../test_merchant_cert.pem
other=../test_brand_cert.pem
phrase=pass:test-passphrase
mchid=pass:1900000109

openssl rsa -traditional -in $key -out pkcs1.pem
openssl rsa -traditional -aes256 -passout $phrase -in $key -out pkcs1_old_encryption.pem
openssl pkcs8 -topk8 -passout $phrase -in $key -out pkcs8_default.pem
openssl pkcs8 -topk8 -passout pass:口令 -in $key -out pkcs8_han_passphrase.pem
openssl pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA1 -passout $phrase -in $key -out pkcs8_aes128_sha1.pem
openssl pkcs8 -topk8 -v2 aes-192-cbc -v2prf hmacWithSHA512 -passout $phrase -in $key -out pkcs8_aes192_sha512.pem
openssl pkcs8 -topk8 -v2 des3 -passout $phrase -in $key -out pkcs8_des3.pem
openssl pkcs8 -topk8 -scrypt -passout $phrase -in $key -out pkcs8_scrypt.pem
openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout $phrase -in $key -out pkcs8_v1_3des.pem
openssl pkcs8 -topk8 -v1 PBE-SHA1-RC2-40 -provider legacy -provider default -passout $phrase -in $key -out pkcs8_v1_rc2_40.pem
openssl pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -passout $phrase -in $key -out pkcs8_v1_md5_des.pem
openssl pkcs8 -topk8 -iter 5000000 -passout $phrase -in $key -out pkcs8_costly.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -passout $phrase -out pkcs8_elliptic.pem

openssl pkcs12 -export -legacy -inkey $key -in $cert -name "Tenpay Certificate" -passout $mchid -out legacy.p12
openssl pkcs12 -export -legacy -inkey $key -in $cert -passout pass:口令 -out legacy_han_passphrase.p12
openssl pkcs12 -export -inkey $key -in $cert -passout $mchid -out modern.p12
openssl pkcs12 -export -inkey $key -in $cert -certfile $other -passout $mchid -out with_other_certificate.p12
openssl pkcs12 -export -inkey $key -in $cert -passout $mchid -certpbe NONE -keypbe NONE -out mac_only.p12
openssl pkcs12 -export -inkey $key -in $cert -passout $mchid -nomac -out without_mac.p12
openssl pkcs12 -export -inkey $key -nocerts -passout $mchid -out without_certificate.p12
openssl pkcs12 -export -nokeys -in $cert -passout $mchid -out without_key.p12
openssl pkcs12 -export -inkey $key -in $cert -passout $mchid -certpbe AES-128-CBC -keypbe AES-128-CBC -macalg sha512 -out sha512_mac.p12
openssl pkcs12 -export -inkey $key -in $cert -passout $mchid -iter 3000000 -out costly.p12
