"""The service answered while an order is being put together; its medication or dose may still be missing."""

from dataclasses import replace

from hooks.order_sign import ORDER_SIGN

ORDER_SELECT = replace(
    ORDER_SIGN,
    id="immune-status-order-select",
    hook="order-select",
    title="HIV immune status: order selection",
    description=(
        "When an order is chosen for a person with HIV: the same advice as at signing, earlier. "
        "An order that still lacks its medication or dose is not guessed at."
    ),
)
