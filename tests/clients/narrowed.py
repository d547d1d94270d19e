"""Narrows the requests of an API document to ids that exist; answers stay as the document has them.

Made at random, an id names nothing, and every call would be refused at once. A schema that allows the known ids alone
lets right values succeed, and wrong ones are wrong still.
"""

PHONE, VALUE, TIME = "sealed-phone-number", "sealed-form-value", "wechatpay-time"
CIPHERTEXT = "wechatpay-platform-ciphertext"
PLAIN_PHONE = "PhoneNumber"


def narrow(document, known, sealed):
    """`known` maps an operation's id, or None for all, to schema names and their ids; `sealed` a format to an example."""
    # The hook signs whatever leaves, so nothing can be tried there.
    del document["security"], document["components"]["securitySchemes"]
    for operation in operations(document):
        ids = known.get(None, {}) | known.get(operation["operationId"], {})
        parameters = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
        for parameter in parameters:
            parameter["schema"] = inlined(document, parameter["schema"], ids)
            if "example" in parameter:
                parameter["example"] = fitted(parameter["example"], parameter["schema"], sealed)
        if parameters:
            operation["parameters"] = parameters
        if "requestBody" in operation:
            media = operation["requestBody"]["content"]["application/json"]
            media["schema"] = inlined(document, media["schema"], ids)
            media["example"] = fitted(media["example"], media["schema"], sealed)


def operations(document):
    """Every operation of the document."""
    for path in document["paths"].values():
        yield from (operation for operation in path.values() if "operationId" in operation)


def resolved(document, node):
    """What a reference names, as a copy; anything else as it is."""
    return dict(target(document, node["$ref"])) if "$ref" in node else dict(node)


def target(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def inlined(document, schema, ids):
    """A copy without references, narrowed to the ids."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if ids.get(name):
            return {"type": "string", "enum": ids[name], "x-known": True}
        return inlined(document, target(document, schema["$ref"]), ids)
    schema = {name: value for name, value in schema.items() if name != "example"}
    if "allOf" in schema:
        (only,) = schema.pop("allOf")
        schema = inlined(document, only, ids) | schema
    if schema.get("format") in (CIPHERTEXT, VALUE):  # A reference is looked into before what stands beside it.
        schema["format"] = PHONE if schema.get("x-plaintext") == PLAIN_PHONE else VALUE
    if "properties" in schema:
        properties = schema["properties"].items()
        schema["properties"] = {name: inlined(document, value, ids) for name, value in properties}
    if "items" in schema:
        schema["items"] = inlined(document, schema["items"], ids)
    return schema


def fitted(example, schema, sealed):
    """The document's example with ids that exist and ciphertexts that open."""
    if schema.get("x-known"):
        return schema["enum"][0]
    if schema.get("format") in sealed:
        return sealed[schema["format"]]
    if isinstance(example, dict):
        return {name: fitted(value, schema["properties"][name], sealed) for name, value in example.items()}
    if isinstance(example, list):
        return [fitted(value, schema["items"], sealed) for value in example]
    return example
