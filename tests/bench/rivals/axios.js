// The same loop as `wxmember-bench calls` over npm's `wechatpay-axios-plugin`: seal two fields, sign, send, verify.
// node axios.js NODE_FOLDER MEMBERS_JSON IN_FLIGHT plain|opened SANDBOX_FOLDER; prints one line of JSON.
'use strict';

const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const [nodeFolder, membersFile, inFlight, opening, folder] = process.argv.slice(2);
const { Wechatpay, Rsa } = createRequire(path.join(nodeFolder, 'package.json'))('wechatpay-axios-plugin');

const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
const settings = JSON.parse(read('sandbox.json'));
const privateKey = Rsa.from(read('apiclient_key.pem'), Rsa.KEY_TYPE_PRIVATE);
const platformKey = Rsa.from(read('pub_key.pem'), Rsa.KEY_TYPE_PUBLIC);
const wxpay = new Wechatpay({
  baseURL: `${settings.base_url}/`,
  mchid: settings.mchid,
  serial: settings.merchant_serial,
  privateKey,
  certs: { [settings.platform_key_id]: platformKey },
  secret: settings.apiv3_key,
});
const members = JSON.parse(fs.readFileSync(membersFile, 'utf8'));
const headers = { 'Wechatpay-Serial': settings.platform_key_id };

async function call(member) {
  const body = {
    brand_id: settings.brand_id,
    card_id: settings.card_id,
    phone_number: Rsa.encrypt(member.phone_number, platformKey),
    user_card_code: member.user_card_code,
    level: member.level,
    date_information: { type: 'PERMANENT' },
    pickup_time: member.pickup_time,
    user_information: {
      common_field_list: [{ name: 'USER_FORM_FLAG_NAME', value: Rsa.encrypt(member.name, platformKey) }],
    },
  };
  const answer = await wxpay.chain('v3/brand/partner/card-member/user-cards/import-by-phone').post(body, { headers });
  const card = typeof answer.data === 'string' ? JSON.parse(answer.data) : answer.data;
  if (card.user_card_code !== member.user_card_code) throw new Error('another card');
  if (opening === 'opened' && Rsa.decrypt(card.phone_number, privateKey) !== member.phone_number) {
    throw new Error('another phone number');
  }
}

async function main() {
  let next = 0;
  const start = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  await Promise.all(Array.from({ length: Number(inFlight) }, async () => {
    while (next < members.length) {
      const member = members[next];
      next += 1;
      await call(member);
    }
  }));
  const used = process.cpuUsage(cpu);
  const peak = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  console.log(JSON.stringify({
    calls: members.length,
    seconds: Number(process.hrtime.bigint() - start) / 1e9,
    cpu_seconds: (used.user + used.system) / 1e6,
    peak_bytes: Number(peak[1]) * 1024,
  }));
}

main().catch((error) => {
  console.error(error.response ? error.response.data : error);
  process.exitCode = 1;
});
