"""Keys for tests, made once by ``wg``: whoever has them has nothing."""

from __future__ import annotations

from reconciler.resources.wireguard.keys import fingerprint, parse

PRIVATE = "2Ff7ZbiL0wCuZ5nOC4IIwH3ZYbN5u5Pj3Ggk0q3lgHU="
PUBLIC = "jwfzEDODVBUFQR1RX9U8wkVGITp+Qve9kNsFU3/apCc="
OTHER_PRIVATE = "wOEI9rqqbDwnN8/Bpp22sVz48T71vJ4fYmFWujulwUU="
OTHER_PUBLIC = "qbO+D5dy6NiXEQg9N738JDYczyjqK/VlWXTxFO1vIAI="
PRESHARED = "Pz8/V2FudFRvVHJ5TXlBZXJvR3Jvc3NlQmljaGU/Pz8="
SHARED = fingerprint(parse(PRESHARED.encode()))
OFFICE = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
ROAD = "Q2jzZ3Dr5wyvOd4PUhsvMgYQ+jTiM2tlCTgL1qAWEH0="
