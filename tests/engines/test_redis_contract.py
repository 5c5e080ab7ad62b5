"""RedisStore keeps the contract: on one server, and in a Cluster."""

import time

import pytest

from cookiesess.stores.base import Store
from cookiesess.stores.redis import RedisStore
from cookiesess.testing import StoreContract
from kit.servers.redis import client_of, prefix


class TestRedisStore(StoreContract):
    now = int(time.time())
    expires_by_itself = True

    @pytest.fixture(autouse=True)
    def _server(self, shared_redis):
        self.client = client_of(shared_redis.port)
        self.prefix = prefix()

    def make_store(self) -> Store:
        return RedisStore(self.client, prefix=self.prefix)

    def open_again(self, store: Store) -> Store:
        return RedisStore(self.client, prefix=self.prefix)


class TestRedisStoreInACluster(TestRedisStore):
    @pytest.fixture(autouse=True)
    def _server(self, shared_cluster):
        self.client = shared_cluster.client()
        self.prefix = prefix()
