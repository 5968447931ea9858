#include "api/nfs/v4state/recovery.h"

#include "storage/base/log.h"

namespace outcrop::nfs {

Task<> Recovery::start() {
  CO_TRY(std::vector<RecoveryRecord> records, co_await x_store.load());
  const std::lock_guard lock(x_mutex);
  for (RecoveryRecord& r : records) {
    x_awaited.insert_or_assign({r.sessions, std::move(r.owner)},
                               Loaded{.principal = std::move(r.principal), .client = {}});
  }
  if (!x_awaited.empty()) {
    x_grace_until = x_clock.steady_ns() + x_config.grace_ns;
  }
  co_return ok();
}

Status Recovery::admit(const Client& client, bool reclaim) const {
  const bool grace = in_grace();
  if (reclaim) {
    if (!grace || client.reclaim_complete) {
      return Status::no_grace;
    }
    return client.may_reclaim ? Status::ok : Status::reclaim_bad;
  }
  // RFC 8881 18.51.3: no new state before RECLAIM_COMPLETE, whether there is grace or not.
  return grace || (client.sessions_family && !client.reclaim_complete) ? Status::grace : Status::ok;
}

void Recovery::adopt(const ClientRef& client) {
  const std::lock_guard lock(x_mutex);
  const auto it = x_awaited.find(key(*client));
  if (it != x_awaited.end() && it->second.principal == client->principal) {
    it->second.client = client;
    client->may_reclaim = true;
    client->recorded = true;
  }
}

void Recovery::complete(Client& client) {
  const std::lock_guard lock(x_mutex);
  const auto it = x_awaited.find(key(client));
  if (it != x_awaited.end() && client.may_reclaim) {
    x_awaited.erase(it);
    if (x_awaited.empty()) {
      end_grace();
    }
  }
}

void Recovery::tick() {
  const std::lock_guard lock(x_mutex);
  if (x_grace_until != 0 && !in_grace()) {
    end_grace();
  }
}

void Recovery::end_grace() {
  x_grace_until = 0;
  for (auto& [name, loaded] : x_awaited) {
    const ClientRef client = loaded.client.lock();
    // What was not reclaimed now may go to others, so it must not be reclaimed after another
    // restart (RFC 8881 8.4.2.1, edge conditions). Without sessions only a reclaim shows who is
    // back.
    if (client && !client->sessions_family && client->reclaimed) {
      continue;
    }
    if (client) {
      client->recorded = false;
    }
    queue({.erase = true, .record = {name.first, name.second, loaded.principal}});
  }
  x_awaited.clear();
}

void Recovery::queue(RecoveryChange change) {
  Key name{change.record.sessions, change.record.owner};
  x_pending.insert_or_assign(std::move(name), std::move(change));
  x_dirty.store(true, std::memory_order_release);
}

void Recovery::keep(Client& client) {
  if (client.recorded) {
    return;
  }
  const std::lock_guard lock(x_mutex);
  if (!client.ended && !client.recorded.exchange(true)) {
    x_awaited.erase(key(client));  // of another principal: this record takes its place
    queue({.erase = false, .record = {client.sessions_family, client.owner, client.principal}});
  }
}

void Recovery::drop(Client& client) {
  const std::lock_guard lock(x_mutex);
  if (client.recorded.exchange(false)) {
    queue({.erase = true, .record = {client.sessions_family, client.owner, client.principal}});
  }
}

void Recovery::end(Client& client, Client* heir) {
  const std::lock_guard lock(x_mutex);
  client.ended = true;
  if (!client.recorded.exchange(false)) {
    return;
  }
  if (heir != nullptr) {
    heir->recorded = true;
  } else {
    queue({.erase = true, .record = {client.sessions_family, client.owner, client.principal}});
  }
}

std::vector<RecoveryChange> Recovery::take_batch(bool& busy) {
  const std::lock_guard lock(x_mutex);
  busy = x_writing;
  std::vector<RecoveryChange> batch;
  if (!busy && !x_pending.empty()) {
    x_writing = true;
    for (auto& [name, change] : x_pending) {
      batch.push_back(std::move(change));
    }
    x_pending.clear();
  }
  return batch;
}

void Recovery::batch_done(const std::vector<RecoveryChange>& batch, const Result<void>& result) {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(x_mutex);
    x_writing = false;
    waiters.swap(x_waiters);
    if (!result) {
      for (const RecoveryChange& c : batch) {
        // What was queued meanwhile is newer.
        x_pending.try_emplace({c.record.sessions, c.record.owner}, c);
      }
    }
    x_dirty.store(!x_pending.empty(), std::memory_order_release);
  }
  for (Waiter& w : waiters) {
    // Posted, not resumed in place: each may write the next batch, and they would nest.
    asio::post(w.executor,
               [resume = std::move(w.resume), result]() mutable { resume(std::move(result)); });
  }
}

void Recovery::wait(Executor executor, Resume<void> resume) {
  {
    const std::lock_guard lock(x_mutex);
    if (x_writing) {
      x_waiters.push_back({executor, std::move(resume)});
      return;
    }
  }
  resume(ok());
}

Task<> Recovery::flush() {
  for (;;) {
    bool busy = false;
    const std::vector<RecoveryChange> batch = take_batch(busy);
    if (busy) {
      const Executor executor = co_await asio::this_coro::executor;
      CO_TRYV(
          co_await suspend<void>([&](Resume<void> resume) { wait(executor, std::move(resume)); }));
      continue;
    }
    if (batch.empty()) {
      co_return ok();
    }
    const Result<void> written = co_await x_store.apply(batch);
    batch_done(batch, written);
    co_return written;  // what came meanwhile is its own callers' to write
  }
}

}  // namespace outcrop::nfs
