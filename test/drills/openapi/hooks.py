"""What Schemathesis cannot learn about the API from its document."""

import re
import uuid
import zlib

import schemathesis

VALID_KEY = re.compile(r"[\x21-\x7e]{1,255}")

# Refusals of a well-formed request. They depend on the shop's data, or on several members together, which no
# schema can say. Every other 400, 415 or 422 of a request that fits the document is a mismatch.
DEPENDS_ON_THE_SHOP = {
    "unknown_sku",
    "unknown_location",
    "unknown_supplier",
    "all_operations_failed",
    "payment_method_required",
    "same_location",
    "total_mismatch",
}
SEVERAL_MEMBERS = {
    "/cursor": "a cursor is opaque: only one that a page named is valid",
    "/maxStock": "must not be below reorderPoint",
    "/maxOrderQuantity": "must not be below minOrderQuantity",
    "/confirm": "an order without lines cannot be confirmed",
    "/lines": "all lines have one currency, and their total has a limit",
    "/quantity": "no more can be received than was sent",
    "/restock": "only units of lines come back to the stock",
    "/cardToken": "each processor has tokens of its own",
    "/backupCardToken": "the same",
    "/payment/cardToken": "the same",
    "/payment/backupCardToken": "the same",
    "/discount": "at most the subtotal of the line",
    "/tax": "at most the amount that includes it",
    "/to": "not before `from`, or before where a clock stands; years have bounds that no format says",
    "/from": "the same",
    "/now": "the same",
    "/startAt": "not before the present, or before where the clock stands",
    "/testClock": "only one that exists",
    "/anchorDay": "only for plans by month or year",
    "/plan/currency": "stays as it is",
}
# The same, of one entry of a list.
OF_AN_ENTRY = re.compile(r"/lines/\d+/(sku|quantity|discount|tax)|/charges/\d+/tax|/rules/\d+/(name|threshold)")


# The drill's stock. Calls about other products and locations end at 422, so every second one is about these.
STOCKED = {"sku": "TSHIRT-M", "location": "main"}


def with_stocked(value):
    if isinstance(value, list):
        return [with_stocked(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: STOCKED[name]
        if name in STOCKED and isinstance(member, str) and zlib.crc32(member.encode()) % 2
        else with_stocked(member)
        for name, member in value.items()
    }


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Makes each call a new one: a reused valid Idempotency-Key would be answered from storage."""
    if case.meta is not None and case.meta.generation.mode.is_positive and not case.path.startswith("/api/products"):
        case.body = with_stocked(case.body)
    # Counts a missing body as a violation, although the document says that it is optional.
    if case.meta is not None and case.meta.generation.mode.is_negative and type(case.body).__name__ == "NotSet":
        if case.operation.label in ("POST /api/orders", "PATCH /api/orders/{id}"):
            case.body, case.media_type = [], "application/json"
    for name, value in list((case.headers or {}).items()):
        if name.lower() == "idempotency-key" and isinstance(value, str) and VALID_KEY.fullmatch(value):
            case.headers[name] = str(uuid.uuid4())


@schemathesis.check
def well_formed_is_accepted(ctx, response, case):
    """Replaces positive_data_acceptance, which cannot tell a malformed request from one that the shop refuses."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code not in (400, 406, 415, 422):
        return
    if case.path.startswith("/webhooks/"):  # no schema can sign
        return
    problem = response.json()
    if problem["code"] in DEPENDS_ON_THE_SHOP:
        return
    pointers = {error["pointer"] for error in problem.get("errors", [])}
    unsaid = {pointer for pointer in pointers if pointer not in SEVERAL_MEMBERS and not OF_AN_ENTRY.fullmatch(pointer)}
    if problem["code"] == "validation_failed" and pointers and not unsaid:
        return
    raise AssertionError(f"fits the document and is refused: {response.text[:500]}")
