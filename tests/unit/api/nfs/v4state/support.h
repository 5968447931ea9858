// A state manager with a clock and a store of the test's, and clients of both families to use it.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "api/nfs/v4state/state_manager.h"
#include "storage/base/async.h"

namespace outcrop::nfs {

inline void PrintTo(Status status, std::ostream* out) { *out << to_string(status); }

namespace test {

class ManualClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return x_now; }
  std::int64_t steady_ns() const override { return x_now; }
  void advance(std::int64_t ns) { x_now += ns; }

 private:
  std::atomic<std::int64_t> x_now = 1'000 * kSecondNs;
};

/// A store that can fail, and counts what it writes.
class TestStore final : public MemoryRecoveryStore {
 public:
  Task<> apply(std::vector<RecoveryChange> changes) override {
    if (failure) {
      co_return fail(*failure);
    }
    ++batches;
    co_return co_await MemoryRecoveryStore::apply(std::move(changes));
  }
  std::optional<Errc> failure;
  std::atomic<int> batches = 0;
};

struct CountedHold final : ns::OpenHold {
  explicit CountedHold(std::shared_ptr<std::atomic<int>> count) : live(std::move(count)) {
    ++*live;
  }
  ~CountedHold() override { --*live; }
  std::shared_ptr<std::atomic<int>> live;
};

inline Verifier verifier(std::uint8_t n) {
  Verifier v{};
  v[0] = std::byte{n};
  return v;
}
inline Principal principal(std::uint32_t uid) { return {.flavor = 1, .uid = uid, .host = "box"}; }
inline ns::FileId file(std::uint64_t ino) { return {.root = 1, .ino = ino}; }
inline ChannelAttributes usual_fore() { return {0, 1 << 20, 1 << 20, 7584, 16, 8}; }
inline ChannelAttributes usual_back() { return {0, 4096, 4096, 0, 2, 16}; }

/// The status of an Outcome.
template <class T>
Status status_of(const Outcome<T>& outcome) {
  return outcome ? Status::ok : outcome.error();
}

struct Rig {
  explicit Rig(StateConfig wanted = {}) : config(wanted) { restart(); }

  /// A server that starts anew with what the store has.
  void restart() {
    manager.reset();
    ++config.boot_id;
    manager = std::make_unique<StateManager>(config, clock, random, store);
    ASSERT_TRUE(run_sync(manager->start()));
  }
  void pass(std::int64_t ns) {
    clock.advance(ns);
    ASSERT_TRUE(run_sync(manager->tick()));
  }
  void expire() { pass(config.lease_ns + kSecondNs); }

  ns::OpenHoldPtr hold() const { return std::make_shared<CountedHold>(holds); }

  StateConfig config;
  ManualClock clock;
  SystemRandom random;
  TestStore store;
  std::shared_ptr<std::atomic<int>> holds = std::make_shared<std::atomic<int>>(0);
  std::unique_ptr<StateManager> manager;
};

/// One result of an asynchronous operation; the store of the tests never waits.
template <class T>
T wait_for(Async<T> operation) {
  asio::io_context io(1);
  std::optional<T> out;
  asio::co_spawn(io, std::move(operation), [&](std::exception_ptr e, T result) {
    ASSERT_FALSE(e);
    out = std::move(result);
  });
  io.run();
  return std::move(*out);
}

/// What clients of both families do with files, by {context()}.
class AnyClient {
 public:
  explicit AnyClient(Rig& of) : rig(of) {}
  virtual ~AnyClient() = default;
  virtual StateContext context() = 0;

  Outcome<OpenGrant> open(std::string_view owner,
                          std::uint64_t ino,
                          std::uint32_t access = kAccessBoth,
                          std::uint32_t deny = kDenyNone,
                          bool reclaim = false) {
    const OpenRequest request{.owner = owner,
                              .file = file(ino),
                              .access = access,
                              .deny = deny,
                              .reclaim = reclaim,
                              .hold = rig.hold()};
    return wait_for(rig.manager->open(context(), request));
  }
  Status close(const Stateid& id, std::uint64_t ino) {
    return status_of(rig.manager->close(context(), id, file(ino)));
  }
  LockResult lock(const Stateid& id,
                  std::uint64_t ino,
                  std::string_view new_owner,
                  LockType type,
                  std::uint64_t offset,
                  std::uint64_t length,
                  bool reclaim = false) {
    const LockRequest request{.file = file(ino),
                              .type = type,
                              .reclaim = reclaim,
                              .offset = offset,
                              .length = length,
                              .stateid = id,
                              .new_owner = !new_owner.empty(),
                              .owner = new_owner};
    return wait_for(rig.manager->lock(context(), request));
  }
  Outcome<Stateid> unlock(const Stateid& id,
                          std::uint64_t ino,
                          std::uint64_t offset,
                          std::uint64_t length) {
    return rig.manager->unlock(context(), id, file(ino), offset, length);
  }
  LockTestResult test_lock(std::string_view owner,
                           std::uint64_t ino,
                           LockType type,
                           std::uint64_t offset,
                           std::uint64_t length) {
    return rig.manager->test_lock(
        context(),
        {.file = file(ino), .type = type, .offset = offset, .length = length, .owner = owner});
  }
  Status io(const Stateid& id, std::uint64_t ino, IoKind kind) {
    return status_of(rig.manager->check_io(context(), id, file(ino), kind));
  }

  Rig& rig;
};

/// A confirmed client of 4.1 with one session; each context() is one SEQUENCE.
class Client41 : public AnyClient {
 public:
  explicit Client41(Rig& of,
                    std::string called = "client",
                    std::uint8_t incarnation = 1,
                    std::uint32_t uid = 0,
                    bool complete = true)
      : AnyClient(of), name(std::move(called)), who(principal(uid)) {
    const auto made =
        rig.manager->exchange_id({.owner = name, .verifier = verifier(incarnation)}, who);
    EXPECT_TRUE(made);
    id = made->client;
    sequence = made->sequence;
    const auto created = create_session();
    EXPECT_TRUE(created) << to_string(created.error());
    session = created->session;
    if (complete) {
      EXPECT_EQ(rig.manager->reclaim_complete(context().client, {}), Status::ok);
    }
  }
  Outcome<CreateSessionResult> create_session(ChannelAttributes fore = usual_fore()) {
    return rig.manager->create_session({.client = id,
                                        .sequence = sequence++,
                                        .flags = kSessionBackChannel,
                                        .fore = fore,
                                        .back = usual_back()},
                                       who, 1);
  }
  SequenceResult sequence_on(std::uint32_t slot, std::uint32_t number, bool cache = true) {
    return rig.manager->sequence({.session = session,
                                  .sequence = number,
                                  .slot = slot,
                                  .highest_slot = slot,
                                  .cache_this = cache,
                                  .digest = 7,
                                  .request_bytes = 100,
                                  .operations = 2,
                                  .connection = 1});
  }
  StateContext context() override {
    SequenceResult result = sequence_on(0, ++slot_sequence);
    EXPECT_EQ(result.status, Status::ok);
    flags = result.status_flags;
    StateContext out{.client = result.ticket.client(), .minor = 1};
    result.ticket.finish(nullptr);
    return out;
  }
  Status free(const Stateid& id_) { return rig.manager->free_stateid(context().client, id_); }
  Status test(const Stateid& id_) {
    return rig.manager->test_stateids(context().client, std::span(&id_, 1))[0];
  }

  const std::string name;
  const Principal who;
  ClientId id = 0;
  std::uint32_t sequence = 0, slot_sequence = 0, flags = 0;
  SessionId session{};
};

/// A confirmed client of 4.0, whose owners count their operations themselves.
class Client40 : public AnyClient {
 public:
  explicit Client40(Rig& of,
                    std::string called = "old client",
                    std::uint8_t incarnation = 1,
                    std::uint32_t uid = 0)
      : AnyClient(of), name(std::move(called)), who(principal(uid)) {
    const auto made =
        rig.manager->set_client_id({.owner = name, .verifier = verifier(incarnation)}, who);
    EXPECT_TRUE(made);
    id = made->client;
    EXPECT_EQ(rig.manager->confirm_client_id(id, made->confirm, who), Status::ok);
  }
  StateContext context() override {
    // Null once it is gone: operations with a stateid alone do not name it anyway.
    return {.client = rig.manager->find_client(id).value_or(nullptr), .minor = 0};
  }
  /// OPEN with its sequence number and, if asked for, OPEN_CONFIRM.
  Outcome<Stateid> open_confirmed(std::string_view owner,
                                  std::uint64_t ino,
                                  std::uint32_t& seqid,
                                  std::uint32_t access = kAccessBoth,
                                  std::uint32_t deny = kDenyNone) {
    SeqidResult gate = rig.manager->begin_open(context().client, owner, ++seqid);
    EXPECT_TRUE(gate.ticket);
    const Outcome<OpenGrant> grant = open(owner, ino, access, deny);
    gate.ticket.finish(status_of(grant), "open");
    if (!grant) {
      return refuse(grant.error());
    }
    if (!grant->confirm) {
      return grant->stateid;
    }
    gate = rig.manager->begin_stateid(grant->stateid, ++seqid);
    EXPECT_TRUE(gate.ticket);
    const auto confirmed = rig.manager->confirm_open(context(), grant->stateid, file(ino));
    gate.ticket.finish(status_of(confirmed), "confirm");
    return confirmed;
  }

  const std::string name;
  const Principal who;
  ClientId id = 0;
};

}  // namespace test
}  // namespace outcrop::nfs
