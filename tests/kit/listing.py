"""All of an owner's records, from as many pages as it takes."""

from cookiesess.stores.base import Record, Store


def listed(store: Store, owner: bytes, *, now: int, limit: int = 100) -> dict[bytes, Record]:
    page = store.records_of(owner, now=now, limit=limit)
    records = page.records
    while page.cursor is not None:
        page = store.records_of(owner, now=now, limit=limit, cursor=page.cursor)
        records |= page.records
    return records
