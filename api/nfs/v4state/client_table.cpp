#include "api/nfs/v4state/client_table.h"

#include <algorithm>
#include <cstring>

namespace outcrop::nfs {

namespace {
constexpr std::size_t kEvictedPerTick = 256;
}  // namespace

ClientId client_id(const ClientRef& client) { return client->id; }

ClientTable::~ClientTable() {
  EndedList ended;
  for (const auto& [id, client] : x_clients) {
    ended.push_back(client);
  }
  end(ended);
}

ClientId ClientTable::fresh_id() {
  for (;;) {
    const ClientId id = boot_bits(x_config.boot_id) << 48 | x_random.next() >> 16;
    if (x_files.add_client(id)) {
      return id;
    }
  }
}

Verifier ClientTable::random_verifier() {
  Verifier out{};
  while (out == Verifier{}) {
    x_random.fill(out);
  }
  return out;
}

ClientRef ClientTable::make_unconfirmed(bool sessions,
                                        std::string_view owner,
                                        const Verifier& verifier,
                                        const Principal& caller,
                                        EndedList& ended) {
  Entry& place = entry(sessions, owner);
  place.update.reset();
  if (place.unconfirmed) {
    remove(place.unconfirmed, nullptr, ended);
  }
  while (x_unconfirmed.size() >= std::max<std::size_t>(x_config.limits.unconfirmed_clients, 1)) {
    remove(x_unconfirmed.front(), nullptr, ended);
  }
  auto client = std::make_shared<Client>(fresh_id(), sessions, owner, caller);
  client->verifier = verifier;
  client->made_ns = x_clock.steady_ns();
  client->renew(client->made_ns);
  x_clients.emplace(client->id, client);
  // Looked up again: what was removed may have been the last of this owner.
  entry(sessions, owner).unconfirmed = client;
  x_unconfirmed.push_back(client);
  return client;
}

ClientRef ClientTable::lookup(ClientId id, bool sessions, EndedList& ended) {
  const auto it = x_clients.find(id);
  if (it == x_clients.end() || it->second->sessions_family != sessions) {
    return nullptr;
  }
  ClientRef client = it->second;
  if (!client->confirmed && x_clock.steady_ns() - client->made_ns > x_config.lease_ns) {
    remove(client, nullptr, ended);
    return nullptr;
  }
  return client;
}

void ClientTable::remove(ClientRef client, Client* heir, EndedList& ended) {
  const auto it = x_entries.find({client->sessions_family, client->owner});
  Entry& place = it->second;
  if (client->confirmed) {
    --x_confirmed;
    place.confirmed = nullptr;
    place.update.reset();
  } else {
    std::erase(x_unconfirmed, client);
    place.unconfirmed = nullptr;
  }
  if (!place.confirmed && !place.unconfirmed) {
    x_entries.erase(it);
  }
  x_clients.erase(client->id);
  x_recovery.end(*client, heir);
  ended.push_back(std::move(client));
}

bool ClientTable::confirm(const ClientRef& client, EndedList& ended) {
  const ClientRef before = entry(client->sessions_family, client->owner).confirmed;
  if (!before && x_confirmed >= x_config.limits.clients && !evict_one(ended)) {
    return false;
  }
  if (before) {
    const bool same = before->principal == client->principal;
    remove(before, same ? client.get() : nullptr, ended);
  }
  std::erase(x_unconfirmed, client);
  Entry& place = entry(client->sessions_family, client->owner);
  place.unconfirmed = nullptr;
  place.confirmed = client;
  client->confirmed = true;
  ++x_confirmed;
  client->renew(x_clock.steady_ns());
  x_recovery.adopt(client);
  return true;
}

bool ClientTable::evict_one(EndedList& ended) {
  const std::int64_t now_ns = x_clock.steady_ns();
  ClientRef oldest;
  for (const auto& [id, client] : x_clients) {
    // Without state before those with, then the longest expired.
    const auto rank = [](const Client& c) { return std::pair(c.has_state(), c.lease_ns.load()); };
    if (client->confirmed && client->expired(now_ns, x_config.lease_ns) &&
        (!oldest || rank(*client) < rank(*oldest))) {
      oldest = client;
    }
  }
  if (oldest) {
    remove(oldest, nullptr, ended);
  }
  return oldest != nullptr;
}

void ClientTable::end(const EndedList& ended) {
  for (const ClientRef& client : ended) {
    std::vector<SessionPtr> sessions;
    {
      const std::lock_guard lock(client->mutex);
      client->gone = true;
      sessions.swap(client->sessions);
    }
    for (const SessionPtr& session : sessions) {
      x_sessions.destroy(*session);
    }
    x_files.release_client(*client);
    x_files.drop_client(client->id);
  }
}

bool ClientTable::busy(Client& client) const {
  if (client.has_state()) {
    return true;
  }
  const std::lock_guard lock(client.mutex);
  return !client.sessions.empty();
}

Status ClientTable::destroy_client(ClientId id, const Principal& caller) {
  EndedList ended;
  {
    const std::lock_guard lock(x_mutex);
    const ClientRef client = lookup(id, true, ended);
    if (!client || client->principal != caller) {
      return Status::stale_clientid;
    }
    if (busy(*client)) {
      return Status::clientid_busy;
    }
    remove(client, nullptr, ended);
  }
  end(ended);
  return Status::ok;
}

void ClientTable::tick(bool evict) {
  EndedList ended;
  std::vector<ClientRef> v40;
  {
    const std::lock_guard lock(x_mutex);
    const std::int64_t now_ns = x_clock.steady_ns();
    std::vector<ClientRef> over;
    std::vector<std::pair<std::int64_t, ClientRef>> expired;
    for (const auto& [id, client] : x_clients) {
      if (!client->confirmed) {
        if (now_ns - client->made_ns > x_config.lease_ns) {
          over.push_back(client);
        }
      } else if (client->expired(now_ns, x_config.lease_ns + x_config.courtesy_ns)) {
        over.push_back(client);
      } else if (client->expired(now_ns, x_config.lease_ns)) {
        expired.emplace_back(client->lease_ns, client);
      } else if (!client->sessions_family) {
        v40.push_back(client);
      }
    }
    if (evict) {
      std::ranges::sort(expired, {}, [](const auto& e) { return e.first; });
      expired.resize(std::min(expired.size(), kEvictedPerTick));
      for (const auto& [lease, client] : expired) {
        over.push_back(client);
      }
    }
    for (const ClientRef& client : over) {
      remove(client, nullptr, ended);
    }
  }
  end(ended);
  for (const ClientRef& client : v40) {
    x_files.purge_idle_owners(*client);
  }
}

std::pair<std::size_t, std::size_t> ClientTable::counts() const {
  const std::lock_guard lock(x_mutex);
  return {x_confirmed, x_unconfirmed.size()};
}

}  // namespace outcrop::nfs
