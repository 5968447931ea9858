// Random histories of NFSv4 clients and opens against small models that follow the RFC's text.
#include <map>
#include <random>
#include <set>

#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

/// RFC 8881 18.35.4 and 18.36.4 for one owner, written down as records.
class OwnerModel {
 public:
  struct Record {
    std::uint8_t verifier = 0;
    std::uint32_t uid = 0;
    ClientId id = 0;
    std::uint32_t sequence = 0;
    std::set<SessionId> sessions;
    std::int64_t at = 0;  ///< made (unconfirmed) or renewed (confirmed)
  };

  /// The case that applies: the expected status; `existing` if the id must be the confirmed one.
  Status exchange(
      std::uint8_t v, std::uint32_t uid, bool update, std::int64_t now, bool& existing) {
    existing = false;
    if (update) {
      if (!confirmed) {
        return Status::noent;
      }
      existing = confirmed->uid == uid && confirmed->verifier == v;
      return confirmed->uid != uid      ? Status::perm
             : confirmed->verifier != v ? Status::not_same
                                        : Status::ok;
    }
    if (confirmed && confirmed->uid != uid) {
      if (!confirmed->sessions.empty() && now - confirmed->at <= lease) {
        return Status::clid_inuse;
      }
      confirmed.reset();
    }
    existing = confirmed && confirmed->verifier == v;
    return Status::ok;
  }

  std::int64_t lease = 0;
  std::optional<Record> confirmed, unconfirmed;
};

class ClientHistory {
 public:
  explicit ClientHistory(unsigned seed) : x_random(seed) { x_model.lease = x_rig.config.lease_ns; }

  void step() {
    switch (pick(6)) {
      case 0:
      case 1:
        return exchange();
      case 2:
      case 3:
        return create();
      case 4:
        return destroy();
      default:
        x_rig.clock.advance(static_cast<std::int64_t>(pick(4)) * x_rig.config.lease_ns / 3);
        ASSERT_TRUE(run_sync(x_rig.manager->tick()));
        expire();
    }
  }
  void check() const {
    const StateCounts counts = x_rig.manager->counts();
    EXPECT_EQ(counts.confirmed_clients, x_model.confirmed ? 1u : 0u);
    EXPECT_EQ(counts.unconfirmed_clients, x_model.unconfirmed ? 1u : 0u);
    EXPECT_EQ(counts.sessions, x_model.confirmed ? x_model.confirmed->sessions.size() : 0u);
    for (const SessionId& dead : x_dead) {
      EXPECT_EQ(x_rig.manager->sequence({.session = dead, .sequence = 1}).status,
                Status::badsession);
    }
  }

 private:
  std::size_t pick(std::size_t n) { return x_random() % n; }
  std::int64_t now() const { return x_rig.clock.steady_ns(); }
  void bury(std::optional<OwnerModel::Record>& record) {
    if (record) {
      x_dead.insert(record->sessions.begin(), record->sessions.end());
      record.reset();
    }
  }
  void expire() {
    if (x_model.unconfirmed && now() - x_model.unconfirmed->at > x_model.lease) {
      x_model.unconfirmed.reset();
    }
    if (x_model.confirmed &&
        now() - x_model.confirmed->at > x_model.lease + x_rig.config.courtesy_ns) {
      bury(x_model.confirmed);
    }
  }

  void exchange() {
    const auto v = static_cast<std::uint8_t>(1 + pick(2));
    const auto uid = static_cast<std::uint32_t>(pick(2));
    const bool update = pick(4) == 0;
    bool existing = false;
    const auto before = x_model.confirmed;
    const Status expected = x_model.exchange(v, uid, update, now(), existing);
    if (before && !x_model.confirmed) {
      x_dead.insert(before->sessions.begin(), before->sessions.end());
    }
    const auto got = x_rig.manager->exchange_id(
        {.owner = "x",
         .verifier = verifier(v),
         .flags = update ? kExchangeUpdateConfirmed : kExchangeUseNonPnfs},
        principal(uid));
    ASSERT_EQ(status_of(got), expected);
    if (!got) {
      return;
    }
    ASSERT_EQ((got->flags & kExchangeConfirmed) != 0, existing);
    if (existing) {
      ASSERT_EQ(got->client, x_model.confirmed->id);
      ASSERT_EQ(got->sequence, x_model.confirmed->sequence + 1);
    } else {
      ASSERT_EQ(got->sequence, 1u);
      ASSERT_TRUE(x_ids.insert(got->client).second);
      x_model.unconfirmed = OwnerModel::Record{
          .verifier = v, .uid = uid, .id = got->client, .sequence = 0, .sessions = {}, .at = now()};
    }
  }

  void create() {
    auto* record = pick(2) == 0 ? &x_model.confirmed : &x_model.unconfirmed;
    if (!*record) {
      return;
    }
    const auto uid = static_cast<std::uint32_t>(pick(2));
    const auto number = static_cast<std::uint32_t>((*record)->sequence + pick(3));
    const auto got = x_rig.manager->create_session(
        {.client = (*record)->id, .sequence = number, .fore = usual_fore(), .back = usual_back()},
        principal(uid), 1);
    if (number == (*record)->sequence && x_last.contains((*record)->id)) {
      const auto& [status, session] = x_last[(*record)->id];
      ASSERT_EQ(status_of(got), status);
      ASSERT_TRUE(!got || got->session == session);
      return;
    }
    if (number != (*record)->sequence + 1) {
      ASSERT_EQ(status_of(got), Status::seq_misordered);
      return;
    }
    (*record)->sequence = number;
    const bool foreign = record == &x_model.unconfirmed && (*record)->uid != uid;
    ASSERT_EQ(status_of(got), foreign                                   ? Status::clid_inuse
                              : (*record)->sessions.size() == kSessions ? Status::nospc
                                                                        : Status::ok);
    x_last[(*record)->id] = {status_of(got), got ? got->session : SessionId{}};
    if (!got) {
      return;
    }
    if (record == &x_model.unconfirmed) {
      bury(x_model.confirmed);
      x_model.confirmed = std::exchange(x_model.unconfirmed, std::nullopt);
    }
    x_model.confirmed->sessions.insert(got->session);
    x_model.confirmed->at = now();
  }

  void destroy() {
    if (!x_model.confirmed) {
      return;
    }
    auto& record = *x_model.confirmed;
    const Principal who = principal(record.uid);
    if (pick(3) == 0) {
      const Status expected = record.sessions.empty() ? Status::ok : Status::clientid_busy;
      ASSERT_EQ(x_rig.manager->destroy_client(record.id, who), expected);
      if (expected == Status::ok) {
        x_model.confirmed.reset();
      }
    } else if (!record.sessions.empty()) {
      const SessionId session = *record.sessions.begin();
      ASSERT_EQ(x_rig.manager->destroy_session(session, who, 1), Status::ok);
      record.sessions.erase(session);
      x_dead.insert(session);
    }
  }

  static constexpr std::size_t kSessions = 4;
  static StateConfig config() {
    StateConfig c;
    c.courtesy_ns = 2 * c.lease_ns;
    c.limits.sessions_per_client = kSessions;
    return c;
  }

  std::mt19937 x_random;
  Rig x_rig{config()};
  OwnerModel x_model;
  std::set<ClientId> x_ids;
  std::set<SessionId> x_dead;
  std::map<ClientId, std::pair<Status, SessionId>> x_last;
};

TEST(ClientStateMachine, FollowsTheCasesOfTheRfc) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    ClientHistory history(seed);
    for (int i = 0; i < 1000; ++i) {
      history.step();
      ASSERT_FALSE(::testing::Test::HasFatalFailure()) << i;
      history.check();
      ASSERT_FALSE(::testing::Test::HasFailure()) << i;
    }
  }
}

/// One open as the RFC sees it: the modes that were sent and are still held.
struct OpenModel {
  std::set<std::uint32_t> accesses, denies;
  std::uint32_t access = 0, deny = 0, seqid = 0;
  Stateid id;
};

class ShareHistory {
 public:
  explicit ShareHistory(unsigned seed) : x_random(seed) {
    for (std::size_t c = 0; c < kClients; ++c) {
      x_clients.push_back(std::make_unique<Client41>(x_rig, "c" + std::to_string(c)));
    }
  }

  void step() {
    const Key key{pick(kClients), pick(kOwners), pick(kFiles)};
    const auto access = static_cast<std::uint32_t>(1 + pick(3));
    const auto deny = static_cast<std::uint32_t>(pick(3) == 0 ? pick(4) : 0);
    switch (pick(4)) {
      case 0:
      case 1:
        open(key, access, deny);
        break;
      case 2:
        downgrade(key, access, deny);
        break;
      default:
        close(key);
    }
  }
  void check() {
    ASSERT_EQ(x_rig.manager->counts().opens, x_opens.size());
    ASSERT_EQ(*x_rig.holds, static_cast<int>(x_opens.size()));
    for (std::uint64_t ino = 0; ino < kFiles; ++ino) {
      std::uint32_t denied = 0;
      for (const auto& [key, open] : x_opens) {
        denied |= key.ino == ino ? open.deny : 0;
      }
      ASSERT_EQ(x_clients[0]->io(kAnonymousStateid, ino, IoKind::write),
                (denied & kDenyWrite) != 0 ? Status::locked : Status::ok);
      ASSERT_EQ(x_clients[0]->io(kAnonymousStateid, ino, IoKind::read),
                (denied & kDenyRead) != 0 ? Status::locked : Status::ok);
    }
  }

 private:
  static constexpr std::size_t kClients = 3, kOwners = 2, kFiles = 2;
  struct Key {
    std::size_t client, owner;
    std::uint64_t ino;
    auto operator<=>(const Key&) const = default;
  };
  std::size_t pick(std::size_t n) { return x_random() % n; }

  void open(const Key& key, std::uint32_t access, std::uint32_t deny) {
    bool conflict = false;
    for (const auto& [other, held] : x_opens) {
      conflict |= other.ino == key.ino && ((held.access & deny) != 0 || (held.deny & access) != 0);
    }
    Client41& client = *x_clients[key.client];
    const auto grant = client.open("o" + std::to_string(key.owner), key.ino, access, deny);
    ASSERT_EQ(status_of(grant), conflict ? Status::share_denied : Status::ok);
    if (!grant) {
      return;
    }
    ASSERT_EQ(grant->made, !x_opens.contains(key));
    OpenModel& held = x_opens[key];
    ASSERT_EQ(grant->stateid.seqid, held.seqid + 1);
    if (pick(4) == 0) {
      x_rig.manager->undo_open(client.context(), *grant);
      if (grant->made) {
        x_opens.erase(key);
      }
      return;
    }
    held.id = grant->stateid;
    ++held.seqid;
    held.access |= access;
    held.deny |= deny;
    held.accesses.insert(access);
    held.denies.insert(deny);
  }

  void downgrade(const Key& key, std::uint32_t access, std::uint32_t deny) {
    const auto known = x_opens.find(key);
    if (known == x_opens.end()) {
      return;
    }
    OpenModel& held = known->second;
    const bool valid = held.accesses.contains(access) && held.denies.contains(deny) &&
                       (access & ~held.access) == 0 && (deny & ~held.deny) == 0;
    const auto r = x_rig.manager->downgrade(x_clients[key.client]->context(), held.id,
                                            file(key.ino), access, deny);
    ASSERT_EQ(status_of(r), valid ? Status::ok : Status::inval);
    if (valid) {
      held.access = access;
      held.deny = deny;
      ++held.seqid;
      held.id = *r;
      std::erase_if(held.accesses, [&](std::uint32_t a) { return (a & ~access) != 0; });
      std::erase_if(held.denies, [&](std::uint32_t d) { return (d & ~deny) != 0; });
    }
  }

  void close(const Key& key) {
    const auto known = x_opens.find(key);
    if (known == x_opens.end()) {
      return;
    }
    const OpenModel& held = known->second;
    Client41& client = *x_clients[key.client];
    ASSERT_EQ(client.io(held.id, key.ino, IoKind::write),
              (held.access & kAccessWrite) != 0 ? Status::ok : Status::openmode);
    ASSERT_EQ(client.close(held.id, key.ino), Status::ok);
    x_opens.erase(known);
  }

  std::mt19937 x_random;
  Rig x_rig;
  std::vector<std::unique_ptr<Client41>> x_clients;
  std::map<Key, OpenModel> x_opens;
};

TEST(ShareReservations, RandomHistoriesAgreeWithTheRules) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    ShareHistory history(seed);
    for (int i = 0; i < 3000; ++i) {
      history.step();
      history.check();
      ASSERT_FALSE(::testing::Test::HasFailure()) << i;
    }
  }
}

}  // namespace
}  // namespace outcrop::nfs::test
