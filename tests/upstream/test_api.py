import httpx2


async def test_models(client: httpx2.AsyncClient) -> None:
    """The catalogue over HTTP: prices per million tokens, the day a model stops, what follows it."""
    listed = (await client.get("/v1/models")).json()
    models = {model["id"]: model for model in listed["models"]}
    assert listed["default"] == "gpt-4.1-mini"
    mini = models["gpt-4.1-mini"]
    assert mini["price"] == {"input": "0.4", "cached_input": "0.1", "output": "1.6"}
    assert mini["shutdown_date"] == "2027-01-14"
    assert mini["successor"] == "gpt-6-luna"
    assert mini["context_window"] == 1_047_576
    assert models["gpt-4-turbo"]["status"] == "stopped"
    assert "json_schema" in mini["capabilities"]


async def test_estimate(client: httpx2.AsyncClient) -> None:
    """Low and worst case without a call; the worst case is what a cap is held against."""
    body = {"input": {"text": "Invoice number: 1\nTotal: 5"}}
    estimate = (await client.post("/v1/estimate/order", json=body)).json()
    assert 0 < float(estimate["low_usd"]) < float(estimate["worst_usd"])
    assert float(estimate["needed_usd"]) < float(estimate["worst_usd"])
    fits = {**body, "options": {"max_cost_usd": estimate["needed_usd"]}}
    answer = await client.post("/v1/extract/order", json=fits)
    assert answer.status_code == 200, answer.text
    assert float(answer.json()["usage"]["cost_usd"]) <= float(estimate["needed_usd"])
    less = {**body, "options": {"max_cost_usd": f"{float(estimate['needed_usd']) - 0.00001:.6f}"}}
    assert (await client.post("/v1/extract/order", json=less)).status_code == 402
    assert (await client.post("/v1/estimate/nope", json=body)).status_code == 404
