#include "api/nfs/v4state/session_table.h"

#include <algorithm>
#include <utility>

namespace outcrop::nfs {

namespace {

constexpr std::uint32_t kMinBackOperations = 2;  ///< CB_SEQUENCE and one more
constexpr std::size_t kMaxBackConnections = 16;

/// Bounds of one channel; `least` answers TOOSMALL.
Outcome<ChannelAttributes> bounded(const ChannelAttributes& wanted,
                                   std::uint32_t least_operations) {
  if (wanted.max_request < kMinSessionMessage || wanted.max_response < kMinSessionMessage ||
      wanted.max_operations < least_operations || wanted.max_requests == 0) {
    return refuse(Status::toosmall);
  }
  ChannelAttributes out;
  out.max_request = std::min(wanted.max_request, kMaxSessionMessage);
  out.max_response = std::min(wanted.max_response, kMaxSessionMessage);
  out.max_response_cached =
      std::min({wanted.max_response_cached, out.max_response, kMaxCachedReply});
  out.max_operations = std::min(wanted.max_operations, kMaxCompoundOps);
  out.max_requests = std::min(wanted.max_requests, kMaxSlots);
  return out;
}

/// The reply that a slot may have to keep, and the slot.
std::size_t slot_bytes(const ChannelAttributes& fore) {
  return std::max(fore.max_response_cached, kFreeCachedReply) + sizeof(Slot);
}

}  // namespace

void Session::associate_back(std::uint64_t connection) {
  const std::lock_guard lock(back_mutex);
  std::erase(back_connections, connection);
  if (back_connections.size() == kMaxBackConnections) {
    back_connections.erase(back_connections.begin());
  }
  back_connections.push_back(connection);
}

Outcome<CreateSessionResult> SessionTable::negotiate(const CreateSessionArgs& args) const {
  CreateSessionResult out;
  out.sequence = args.sequence;
  out.flags = args.flags & kSessionBackChannel;
  const Outcome<ChannelAttributes> fore = bounded(args.fore, 1);
  if (!fore) {
    return refuse(fore.error());
  }
  out.fore = *fore;
  // A session without a back channel needs no attributes for one.
  if (out.flags != 0 || args.back != ChannelAttributes{}) {
    const Outcome<ChannelAttributes> back = bounded(args.back, kMinBackOperations);
    if (!back) {
      return refuse(back.error());
    }
    out.back = *back;
  }
  // A quarter of what is left at most, so that many clients get some slots rather than few many.
  const std::size_t limit = x_config.limits.reply_cache_bytes;
  const std::size_t used = x_reserved;
  const std::size_t share = used < limit ? (limit - used) / 4 / slot_bytes(out.fore) : 0;
  out.fore.max_requests =
      static_cast<std::uint32_t>(std::clamp<std::size_t>(share, 1, out.fore.max_requests));
  return out;
}

SessionPtr SessionTable::create(const ClientRef& client, CreateSessionResult& granted) {
  for (;;) {
    x_random.fill(granted.session);
    auto session = std::make_shared<Session>(granted.session, client, granted);
    session->reserved_bytes =
        sizeof(Session) + slot_bytes(granted.fore) * granted.fore.max_requests;
    Shard& at = shard(granted.session);
    const std::lock_guard lock(at.mutex);
    if (at.sessions.try_emplace(granted.session, session).second) {
      x_reserved += session->reserved_bytes;
      ++x_count;
      return session;
    }
  }
}

SessionPtr SessionTable::find(const SessionId& id) {
  Shard& at = shard(id);
  const std::lock_guard lock(at.mutex);
  const auto it = at.sessions.find(id);
  return it == at.sessions.end() ? nullptr : it->second;
}

void SessionTable::destroy(Session& session) {
  if (session.gone.exchange(true)) {
    return;
  }
  SessionPtr last;  // outlives the lock
  Shard& at = shard(session.id);
  const std::lock_guard lock(at.mutex);
  const auto it = at.sessions.find(session.id);
  last = std::move(it->second);
  at.sessions.erase(it);
  x_reserved -= session.reserved_bytes;
  --x_count;
}

Status SessionTable::take_slot(Session& session, const SequenceArgs& args, SequenceResult& out) {
  Slot& slot = session.slots[args.slot];
  CachedReply old;  // outlives the lock
  const std::lock_guard lock(slot.mutex);
  const bool same = slot.used && args.sequence == slot.sequence;
  if (slot.busy) {
    return same ? Status::delay : Status::seq_misordered;
  }
  if (args.sequence == slot.sequence + 1) {
    slot.sequence = args.sequence;
    slot.used = slot.busy = true;
    slot.cache_this = args.cache_this;
    slot.digest = args.digest;
    old.swap(slot.reply);
    return Status::ok;
  }
  if (!same) {
    return Status::seq_misordered;
  }
  if (args.digest != slot.digest) {
    return Status::seq_false_retry;
  }
  if (!slot.reply) {
    return Status::retry_uncached_rep;
  }
  out.replay = slot.reply;
  return Status::ok;
}

SequenceResult SessionTable::sequence(const SequenceArgs& args) {
  SequenceResult out;
  SessionPtr session = find(args.session);
  const auto refused = [&](Status status) {
    out.status = status;
    return std::move(out);
  };
  if (!session) {
    return refused(Status::badsession);
  }
  const ChannelAttributes& fore = session->fore;
  if (args.slot >= fore.max_requests) {
    return refused(Status::badslot);
  }
  if (args.highest_slot >= fore.max_requests) {
    return refused(Status::bad_high_slot);
  }
  if (args.operations > fore.max_operations) {
    return refused(Status::too_many_ops);
  }
  if (args.request_bytes > fore.max_request) {
    return refused(Status::req_too_big);
  }
  if (args.cache_this && fore.max_response_cached < kSequenceReplyBytes) {
    return refused(Status::rep_too_big_to_cache);
  }
  out.status = take_slot(*session, args, out);
  if (out.status != Status::ok && out.status != Status::retry_uncached_rep) {
    return out;
  }
  session->associate(args.connection);
  Client& client = *session->client;
  client.renew(x_clock.steady_ns());
  if (client.revoked.load(std::memory_order_relaxed) != 0) {
    out.status_flags =
        client.has_state() ? kSequenceExpiredSomeStateRevoked : kSequenceExpiredAllStateRevoked;
  }
  out.highest_slot = out.target_highest_slot = fore.max_requests - 1;
  if (out.status == Status::ok && !out.replay) {
    out.ticket = SlotTicket(std::move(session), args.slot);
  }
  return out;
}

SlotTicket& SlotTicket::operator=(SlotTicket&& other) noexcept {
  if (this != &other) {
    abandon();
    x_session = std::move(other.x_session);
    x_slot = other.x_slot;
  }
  return *this;
}

const ClientRef& SlotTicket::client() const { return x_session->client; }
const SessionId& SlotTicket::session() const { return x_session->id; }
const ChannelAttributes& SlotTicket::fore() const { return x_session->fore; }
bool SlotTicket::cache_this() const { return x_session->slots[x_slot].cache_this; }

bool SlotTicket::keeps(std::size_t bytes) const {
  return bytes <= kFreeCachedReply ||
         (cache_this() && bytes <= x_session->fore.max_response_cached);
}

void SlotTicket::finish(CachedReply encoded) {
  const SessionPtr session = std::exchange(x_session, nullptr);
  Slot& slot = session->slots[x_slot];
  const std::lock_guard lock(slot.mutex);
  slot.busy = false;
  slot.reply = std::move(encoded);
}

void SlotTicket::abandon() {
  const SessionPtr session = std::exchange(x_session, nullptr);
  if (!session) {
    return;
  }
  Slot& slot = session->slots[x_slot];
  const std::lock_guard lock(slot.mutex);
  slot.busy = false;
  --slot.sequence;
  slot.used = false;
}

}  // namespace outcrop::nfs
