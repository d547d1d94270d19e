// Drives npm's `wechatpay-axios-plugin` for the tests; see README.md for what comes in and goes out.
'use strict';

const { execFileSync } = require('child_process');
const { mkdtempSync, readFileSync, readdirSync, rmSync } = require('fs');
const { createRequire } = require('module');
const { tmpdir } = require('os');
const { dirname, join } = require('path');
const readline = require('readline');

const [folder, mode] = process.argv.slice(2);
const packages = createRequire(join(process.env.WXMEMBER_TEST_NODE, 'package.json'));
const { Aes, Formatter, Rsa, Wechatpay } = packages('wechatpay-axios-plugin');

const file = (name) => readFileSync(join(folder, name), 'utf8');
const settings = JSON.parse(file('sandbox.json'));
const privateKey = file('apiclient_key.pem');
const [serial] = settings.platform_certificates;
const [keyId, platformKey] = mode === 'certificate'
  ? [serial, file(`wechatpay_${serial}.pem`)]
  : [settings.platform_key_id, file('pub_key.pem')];
const client = new Wechatpay({
  baseURL: settings.base_url,
  mchid: settings.mchid,
  serial: settings.merchant_serial,
  privateKey,
  certs: { [keyId]: platformKey },
});
const cards = client.v3.brand.partner.cardMember.userCards;
const headers = { 'Wechatpay-Serial': keyId };
const seal = (text) => Rsa.encrypt(text, Rsa.from(platformKey, Rsa.KEY_TYPE_PUBLIC));
const open = (text) => Rsa.decrypt(text, Rsa.from(privateKey, Rsa.KEY_TYPE_PRIVATE));

function opened({ data }) {
  const name = open(data.user_information.common_field_list[0].value);
  return { code: data.user_card_code, openid: data.openid, phone: open(data.phone_number), name };
}

const commands = {
  import: async ({ code, phone, name }) => opened(await cards.importByPhone.post({
    brand_id: settings.brand_id,
    card_id: settings.card_id,
    phone_number: seal(phone),
    user_card_code: code,
    user_information: { common_field_list: [{ name: 'USER_FORM_FLAG_NAME', value: seal(name) }] },
    date_information: { type: 'PERMANENT' },
    pickup_time: '2020-05-20T13:29:35+08:00',
  }, { headers })),

  read: async ({ code, openid }) => opened(await cards.$user_card_code$.get({
    user_card_code: code,
    params: { brand_id: settings.brand_id, card_id: settings.card_id, openid },
    headers,
  })),

  // Its command line has the one download of certificates that believes none before it.
  certificates: async () => {
    const cli = join(dirname(packages.resolve('wechatpay-axios-plugin')), 'bin', 'cli.js');
    const output = mkdtempSync(join(tmpdir(), 'certificates-'));
    try {
      // It prints what goes wrong and ends well, so what it saved tells.
      execFileSync(process.execPath, [cli, 'crt', '-u', settings.base_url, '-m', settings.mchid,
        '-s', settings.merchant_serial, '-f', join(folder, 'apiclient_key.pem'), '-k', settings.apiv3_key,
        '-o', output], { stdio: 'ignore' });
      // Each is called wechatpay_SERIAL.pem.
      return { serials: readdirSync(output).map((name) => name.slice(10, -4)) };
    } finally {
      rmSync(output, { recursive: true });
    }
  },

  // It has the parts, and its README says how they go together; no part of it looks at the time.
  notification: async ({ headers: sent, body }) => {
    const message = Formatter.response(sent['wechatpay-timestamp'], sent['wechatpay-nonce'], body);
    const key = Rsa.from(platformKey, Rsa.KEY_TYPE_PUBLIC);
    if (sent['wechatpay-serial'] !== keyId || !Rsa.verify(message, sent['wechatpay-signature'], key)) {
      throw new Error('the signature does not verify');
    }
    const { resource } = JSON.parse(body);
    const { ciphertext, nonce, associated_data: associated } = resource;
    return { resource: JSON.parse(Aes.AesGcm.decrypt(ciphertext, settings.apiv3_key, nonce, associated)) };
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let answer;
    try {
      answer = { ok: true, ...await commands[command.do](command) };
    } catch (error) {
      const refusal = error.response && error.response.data;
      answer = { ok: false, error: `${error.message}`, refusal: refusal && refusal.code };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

main();
