"""WireGuard: what ``wg`` shows. The interface itself is a link of the type ``wireguard``.

``device`` is what is set on an interface: its key, port and mark; ``peer`` is one of its peers. ``keys`` turns
secrets into what can be shown, ``wire`` knows the messages, ``config`` the words of the file.

No value holds a secret. A private key is known by its public key, a preshared key by a fingerprint; the file of
each is named beside it, and the secret itself is put into a message by the kernel port just before it is sent.
"""
