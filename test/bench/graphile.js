// SPDX-License-Identifier: Apache-2.0
// node graphile.js URL JOBS CONCURRENCY: jobs/s of a backlog of tasks that do nothing, nothing batched.
const { run, makeWorkerUtils } = require("graphile-worker");
const { Pool } = require("pg");

async function main(url, jobs, concurrency) {
  const pool = new Pool({ connectionString: url, max: concurrency + 2 });
  const utils = await makeWorkerUtils({ pgPool: pool });
  await utils.migrate();
  await pool.query("delete from graphile_worker._private_jobs");
  for (let i = 0; i < jobs; i += 1000)
    await pool.query(
      "select count(*) from generate_series(1, $1) i, lateral graphile_worker.add_job('noop', json_build_object('i', i))",
      [Math.min(1000, jobs - i)]);
  let left = jobs, began, over;
  const ended = new Promise((resolve) => { over = resolve; });
  const logger = new (require("graphile-worker").Logger)(() => () => {});
  began = process.hrtime.bigint();
  const runner = await run({
    pgPool: pool, concurrency, noHandleSignals: true, pollInterval: 100, logger,
    taskList: { noop: async () => { if (--left === 0) over(); } },
  });
  await ended;
  while (Number((await pool.query("select count(*) from graphile_worker._private_jobs")).rows[0].count) > 0);
  console.log((jobs / (Number(process.hrtime.bigint() - began) / 1e9)).toFixed(1));
  await runner.stop();
  await utils.release();
  await pool.end();
}

main(process.argv[2], Number(process.argv[3]), Number(process.argv[4])).catch((error) => {
  console.error(error);
  process.exit(1);
});
