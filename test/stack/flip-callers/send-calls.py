"""Makes the calls that it is given with httpx, with the clients and options that FLIP's trust-api uses."""

import asyncio
import json
import sys

import httpx


async def main():
    order = json.load(sys.stdin)
    answers = []
    async with httpx.AsyncClient(timeout=httpx.Timeout(5.0)) as collector:
        for call in order["calls"]:
            url = order["url"] + call["path"]
            if call["by"] == "health-collector":
                answer = await collector.get(url, headers=call.get("headers"))
            else:
                async with httpx.AsyncClient(timeout=httpx.Timeout(30.0), follow_redirects=True) as client:
                    answer = await client.request(
                        call["method"],
                        url,
                        json=call.get("json"),
                        params=call.get("params", {}),
                        headers=call.get("headers", {}),
                    )
            answers.append({"status": answer.status_code, "body": answer.text})
        accept_encoding = collector.headers["accept-encoding"]
    json.dump({"version": httpx.__version__, "acceptEncoding": accept_encoding, "answers": answers}, sys.stdout)


asyncio.run(main())
