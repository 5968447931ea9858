// Byte-range locks: RFC cases, and random operations against a map of single bytes.
#include <random>

#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

constexpr std::uint64_t kMax = UINT64_MAX;

struct Locks : ::testing::Test {
  Rig rig;
  Client41 a{rig, "a"}, b{rig, "b"};
  Stateid open_a = a.open("o", 1)->stateid, open_b = b.open("o", 1)->stateid;

  /// What another owner sees in the way of a write lock of everything: type, offset, length.
  std::string seen(std::uint64_t offset = 0, std::uint64_t length = kMax) {
    const LockTestResult r = b.test_lock("spy", 1, LockType::write, offset, length);
    if (r.status == Status::ok) {
      return "free";
    }
    return std::string(is_write(r.conflict->type) ? "W" : "R") +
           std::to_string(r.conflict->offset) + "+" +
           (r.conflict->length == kMax ? "end" : std::to_string(r.conflict->length));
  }
};

struct Range {
  std::uint64_t offset, length;
  Status status;
};

TEST_F(Locks, Ranges) {
  const Range cases[] = {
      {0, 0, Status::inval},           {25, 0, Status::inval},
      {kMax, 0, Status::inval},        {0, 1, Status::ok},
      {0, kMax, Status::ok},           {kMax, kMax, Status::ok},
      {kMax, 1, Status::inval},  // ends at 2^64
      {kMax - 1, 1, Status::ok},       {100, kMax - 100, Status::ok},
      {100, kMax - 99, Status::inval}, {100, kMax - 1, Status::inval},
      {1, kMax - 1, Status::ok},
  };
  for (const Range& c : cases) {
    SCOPED_TRACE(std::to_string(c.offset) + "+" + std::to_string(c.length));
    EXPECT_EQ(a.test_lock("l", 1, LockType::read, c.offset, c.length).status, c.status);
    const LockResult r = a.lock(open_a, 1, "l", LockType::read, c.offset, c.length);
    EXPECT_EQ(r.status, c.status);
    if (r.status == Status::ok) {
      const auto unlocked = a.unlock(r.stateid, 1, 0, kMax);
      ASSERT_TRUE(unlocked);
      EXPECT_EQ(status_of(a.unlock(*unlocked, 1, c.offset, c.length)), Status::ok);
    }
  }
}

TEST_F(Locks, ConflictsTellWho) {
  const LockResult held = a.lock(open_a, 1, "holder", LockType::write, 10, 20);
  ASSERT_EQ(held.status, Status::ok);
  EXPECT_EQ(held.stateid.seqid, 1u);
  const LockResult denied = b.lock(open_b, 1, "l", LockType::read_wait, 0, kMax);
  ASSERT_EQ(denied.status, Status::denied);
  ASSERT_TRUE(denied.conflict);
  EXPECT_EQ(denied.conflict->offset, 10u);
  EXPECT_EQ(denied.conflict->length, 20u);
  EXPECT_EQ(denied.conflict->type, LockType::write);
  EXPECT_EQ(denied.conflict->client, a.id);
  EXPECT_EQ(denied.conflict->owner, "holder");
  EXPECT_EQ(rig.manager->counts().lock_states, 1u);
  EXPECT_EQ(b.lock(open_b, 1, "l", LockType::write, 30, 5).status, Status::ok);
  EXPECT_EQ(b.lock(open_b, 1, "l", LockType::write, 9, 1).status, Status::ok);
  // Another owner of the same client conflicts, the same does not.
  EXPECT_EQ(a.lock(open_a, 1, "other", LockType::read, 10, 1).status, Status::denied);
  EXPECT_EQ(a.lock(open_a, 1, "holder", LockType::read, 10, 1).status, Status::ok);
}

TEST_F(Locks, ReadersShareAndBlockWriters) {
  ASSERT_EQ(a.lock(open_a, 1, "l", LockType::read, 0, 10).status, Status::ok);
  const LockResult also = b.lock(open_b, 1, "l", LockType::read, 5, 10);
  ASSERT_EQ(also.status, Status::ok);
  EXPECT_EQ(b.lock(also.stateid, 1, "", LockType::write, 5, 10).status, Status::denied);
  const LockResult upgraded = b.lock(also.stateid, 1, "", LockType::write, 10, 5);
  EXPECT_EQ(upgraded.status, Status::ok);
  EXPECT_EQ(upgraded.stateid.seqid, also.stateid.seqid + 1);
}

TEST_F(Locks, SplitJoinUpgradeDowngrade) {
  LockResult r = a.lock(open_a, 1, "l", LockType::write, 25, 75);
  r = a.lock(r.stateid, 1, "", LockType::write, 50, 75);
  EXPECT_EQ(seen(), "W25+100");  // overlapping
  r = a.lock(r.stateid, 1, "", LockType::write, 125, 75);
  EXPECT_EQ(seen(), "W25+175");  // touching at the right
  r = a.lock(r.stateid, 1, "", LockType::write, 0, 25);
  EXPECT_EQ(seen(), "W0+200");  // touching at the left
  EXPECT_EQ(rig.manager->counts().ranges, 1u);
  const auto hole = a.unlock(r.stateid, 1, 50, 50);
  EXPECT_EQ(seen(), "W0+50");
  EXPECT_EQ(seen(50, 50), "free");
  EXPECT_EQ(seen(50, 51), "W100+100");
  r = a.lock(*hole, 1, "", LockType::read, 40, 70);
  EXPECT_EQ(seen(0, 50), "W0+40");
  EXPECT_EQ(seen(40, 70), "R40+70");
  EXPECT_EQ(seen(110), "W110+90");
  r = a.lock(r.stateid, 1, "", LockType::read, 0, 10);
  r = a.lock(r.stateid, 1, "", LockType::read, 10, 30);
  EXPECT_EQ(seen(), "W110+90");  // writers are looked at first
  EXPECT_EQ(seen(0, 110), "R0+110");
  r = a.lock(r.stateid, 1, "", LockType::write, 0, kMax);
  EXPECT_EQ(seen(), "W0+end");
  const auto tail = a.unlock(r.stateid, 1, 1000, kMax);
  EXPECT_EQ(seen(), "W0+1000");
  ASSERT_TRUE(tail);
  EXPECT_EQ(rig.manager->counts().ranges, 1u);
  ASSERT_TRUE(a.unlock(*tail, 1, 0, kMax));
  EXPECT_EQ(seen(), "free");
}

TEST_F(Locks, NeedTheAccessOfTheirOpen) {
  const Stateid read = a.open("r", 2, kAccessRead)->stateid;
  const Stateid write = a.open("w", 2, kAccessWrite)->stateid;
  EXPECT_EQ(a.lock(read, 2, "l", LockType::write, 0, 1).status, Status::openmode);
  EXPECT_EQ(a.lock(write, 2, "l", LockType::read, 0, 1).status, Status::openmode);
  const LockResult r = a.lock(read, 2, "l", LockType::read, 0, 1);
  ASSERT_EQ(r.status, Status::ok);
  EXPECT_EQ(a.lock(r.stateid, 2, "", LockType::write, 5, 1).status, Status::openmode);
  // Through the second open the same owner gets its write lock, in the same state.
  const LockResult w = a.lock(write, 2, "l", LockType::write, 5, 1);
  ASSERT_EQ(w.status, Status::ok);
  EXPECT_EQ(w.stateid.other, r.stateid.other);
  // It ends with the last of its opens.
  ASSERT_EQ(a.close(read, 2), Status::ok);
  EXPECT_EQ(a.io(w.stateid, 2, IoKind::write), Status::ok);
  ASSERT_EQ(a.close(write, 2), Status::ok);
  EXPECT_EQ(a.io(w.stateid, 2, IoKind::write), Status::bad_stateid);
}

TEST_F(Locks, WrongStateids) {
  const LockResult r = a.lock(open_a, 1, "l", LockType::write, 0, 10);
  ASSERT_EQ(r.status, Status::ok);
  EXPECT_EQ(a.lock(open_a, 1, "", LockType::write, 0, 1).status, Status::bad_stateid);
  EXPECT_EQ(a.lock(r.stateid, 1, "x", LockType::write, 0, 1).status, Status::bad_stateid);
  EXPECT_EQ(a.lock(r.stateid, 2, "", LockType::write, 0, 1).status, Status::bad_stateid);
  EXPECT_EQ(status_of(a.unlock(open_a, 1, 0, 1)), Status::bad_stateid);
  EXPECT_EQ(a.close(r.stateid, 1), Status::bad_stateid);
  EXPECT_EQ(b.lock(r.stateid, 1, "", LockType::write, 0, 1).status, Status::bad_stateid);
  EXPECT_EQ(a.lock(open_a, 1, "l", static_cast<LockType>(5), 0, 1).status, Status::inval);
  EXPECT_EQ(a.lock(open_a, 1, "l", static_cast<LockType>(0), 0, 1).status, Status::inval);
  Stateid old = r.stateid;
  const LockResult next = a.lock(r.stateid, 1, "", LockType::write, 20, 1);
  EXPECT_EQ(a.lock(old, 1, "", LockType::write, 30, 1).status, Status::old_stateid);
  EXPECT_EQ(status_of(a.unlock(old, 1, 0, 1)), Status::old_stateid);
  ASSERT_EQ(a.close(open_a, 1), Status::ok);
  EXPECT_EQ(seen(), "free");
  EXPECT_EQ(status_of(a.unlock(next.stateid, 1, 0, 1)), Status::bad_stateid);
}

/// Owners on a small file, and a few places at the end of the 64 bits, byte by byte.
class ByteModel {
 public:
  static constexpr std::size_t kBytes = 96;
  enum class Held : std::uint8_t { no, read, write };

  /// Model bytes 80..95 stand for the last 16 of the 64 bits.
  static std::uint64_t real(std::size_t byte) {
    return byte < 80 ? byte : kMax - (kBytes - 1 - byte);
  }

  explicit ByteModel(std::size_t owners) : x_held(owners, std::vector<Held>(kBytes, Held::no)) {}

  bool conflict(std::size_t owner, std::size_t from, std::size_t to, bool write) const {
    for (std::size_t o = 0; o < x_held.size(); ++o) {
      for (std::size_t i = from; i <= to && o != owner; ++i) {
        if (x_held[o][i] == Held::write || (write && x_held[o][i] == Held::read)) {
          return true;
        }
      }
    }
    return false;
  }
  void set(std::size_t owner, std::size_t from, std::size_t to, Held held) {
    std::fill(x_held[owner].begin() + from, x_held[owner].begin() + to + 1, held);
  }
  bool holds(std::size_t owner, std::uint64_t offset, LockType type) const {
    for (std::size_t i = 0; i < kBytes; ++i) {
      if (real(i) == offset) {
        return x_held[owner][i] == (is_write(type) ? Held::write : Held::read);
      }
    }
    return false;
  }
  /// Runs of equal bytes: how many ranges there must be.
  std::size_t ranges() const {
    std::size_t n = 0;
    for (const auto& bytes : x_held) {
      for (std::size_t i = 0; i < kBytes; ++i) {
        n += bytes[i] != Held::no && (i == 0 || i == 80 || bytes[i - 1] != bytes[i]);
      }
    }
    return n;
  }

 private:
  std::vector<std::vector<Held>> x_held;
};

struct ModelRange {
  std::size_t from, to;  ///< model bytes
  std::uint64_t offset, length;
};

/// A range within one of the two parts, so that its length is the model's.
ModelRange random_range(std::mt19937& random) {
  const bool high = random() % 3 == 0;
  const std::size_t low = high ? 80 : 0, size = high ? 16 : 80;
  const std::size_t one = low + random() % size, two = low + random() % size;
  ModelRange r{.from = std::min(one, two), .to = std::max(one, two), .offset = 0, .length = 0};
  r.offset = ByteModel::real(r.from);
  r.length = r.to == ByteModel::kBytes - 1 ? kLockToEnd : ByteModel::real(r.to) - r.offset + 1;
  return r;
}

TEST(LockModel, RandomOperationsAgreeWithSingleBytes) {
  constexpr std::size_t kOwners = 6;
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](std::size_t n) { return random() % n; };
    Rig rig;
    Client41 a(rig, "a"), b(rig, "b");
    Client41* clients[] = {&a, &b};
    const Stateid opens[] = {a.open("o", 1)->stateid, b.open("o", 1)->stateid};
    std::vector<std::optional<Stateid>> states(kOwners);
    ByteModel model(kOwners);
    for (int step = 0; step < 4000; ++step) {
      const std::size_t owner = pick(kOwners);
      Client41& client = *clients[owner % 2];
      const std::string name = "owner" + std::to_string(owner);
      const auto [from, to, offset, length] = random_range(random);
      const bool write = pick(2) == 0;
      const LockType type = write ? LockType::write : LockType::read;
      const bool conflict = model.conflict(owner, from, to, write);
      std::optional<LockConflict> told;
      switch (pick(5)) {
        case 0:
        case 1: {
          const LockResult r = states[owner] && pick(2) == 0
                                   ? client.lock(*states[owner], 1, "", type, offset, length)
                                   : client.lock(opens[owner % 2], 1, name, type, offset, length);
          ASSERT_EQ(r.status, conflict ? Status::denied : Status::ok) << step;
          told = r.conflict;
          if (!conflict) {
            states[owner] = r.stateid;
            model.set(owner, from, to, write ? ByteModel::Held::write : ByteModel::Held::read);
          }
          break;
        }
        case 2:
        case 3:
          if (states[owner]) {
            const auto r = client.unlock(*states[owner], 1, offset, length);
            ASSERT_TRUE(r);
            states[owner] = *r;
            model.set(owner, from, to, ByteModel::Held::no);
          }
          break;
        default: {
          const LockTestResult r = client.test_lock(name, 1, type, offset, length);
          ASSERT_EQ(r.status, conflict ? Status::denied : Status::ok) << step;
          told = r.conflict;
        }
      }
      if (told) {
        const std::size_t holder = static_cast<std::size_t>(told->owner.back() - '0');
        ASSERT_TRUE(model.holds(holder, told->offset, told->type)) << step;
        ASSERT_EQ(told->client, clients[holder % 2]->id);
      }
      ASSERT_EQ(rig.manager->counts().ranges, model.ranges()) << step;
    }
    ASSERT_EQ(a.close(opens[0], 1), Status::ok);
    ASSERT_EQ(b.close(opens[1], 1), Status::ok);
    EXPECT_EQ(rig.manager->counts().ranges, 0u);
    EXPECT_EQ(rig.manager->counts().state_bytes, 0u);
  }
}

}  // namespace
}  // namespace outcrop::nfs::test
