"""One way to have Kafka, MongoDB and Redis: for the demo, the tests and the benches.

    with running_servers(Path("out/servers")) as servers:
        print(servers.addresses.kafka, servers.kind)
        servers.kafka.kill()
        servers.kafka.start()

`python -m deploy.servers up` keeps a set running until `down`.
"""

from deploy.servers.addresses import PROJECT, Addresses, ServerError
from deploy.servers.running import Server, Servers, running_servers

__all__ = ["PROJECT", "Addresses", "Server", "ServerError", "Servers", "running_servers"]
