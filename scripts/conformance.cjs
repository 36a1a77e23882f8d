// One client of `scripts/conformance`: the AWS SDK for JavaScript v3. Reads a case a line, answers with what came of it.
const readline = require("node:readline");
const services = { connect: require("@aws-sdk/client-connect"), qconnect: require("@aws-sdk/client-qconnect") };

const settings = { endpoint: process.argv[2], region: process.env.AWS_REGION, maxAttempts: 1 };
const clients = {
  connect: new services.connect.ConnectClient(settings),
  qconnect: new services.qconnect.QConnectClient(settings),
};

async function run(line) {
  const { service, operation, parameters } = JSON.parse(line);
  if (parameters.TimeRange) {
    parameters.TimeRange.StartTime = new Date(parameters.TimeRange.StartTime * 1000);
    parameters.TimeRange.EndTime = new Date(parameters.TimeRange.EndTime * 1000);
  }
  try {
    const found = await clients[service].send(new services[service][`${operation}Command`](parameters));
    const keys = Object.keys(found).filter((key) => key !== "$metadata" && found[key] !== undefined);
    return { code: "", id: found.ContactId ?? "", keys: keys.sort() };
  } catch (error) {
    return { code: error.name, id: "", keys: [], said: String(error) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await run(line)));
  }
})();
