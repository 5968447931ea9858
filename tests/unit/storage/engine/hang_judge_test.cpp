// Drives that stop answering, by judgements: a simulated box whose writes go from drive to drive.
#include "storage/engine/hang_judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

namespace outcrop::engine {
namespace {

using Looks = HangJudge::Looks;

// As back ends count (storage/io/health.h), one tick for each judgement.
constexpr unsigned kLate = 3, kHung = 50;
constexpr unsigned kNever = std::numeric_limits<unsigned>::max();

/// Drives that stand still from one tick to another, and a transfer to one of them or several.
class Box {
 public:
  Box(unsigned drives, unsigned parity) : x_drives(drives), x_parity(parity) {
    for (unsigned d = 0; d < drives; ++d) {
      live.insert(d);
    }
  }

  void freeze(unsigned drive, unsigned from, unsigned to = kNever) { x_frozen[drive] = {from, to}; }
  /// Questions take so long there, also while transfers do not.
  void slow_to_ask(unsigned drive, unsigned ticks) { x_slow[drive] = ticks; }
  /// From now on a transfer waits for the drive, until it answers or leaves.
  void write(unsigned drive) { x_waits.emplace(drive, tick); }
  bool written(unsigned drive) const { return !x_waits.contains(drive); }

  void judge() {
    ++tick;
    answer();
    std::vector<HangJudge::Seen> seen;
    for (const unsigned d : live) {
      const auto at = x_waits.find(d);
      const unsigned age = at == x_waits.end() ? 0 : tick - at->second;
      seen.push_back({d, age >= kHung ? Looks::hung : age >= kLate ? Looks::late : Looks::well});
    }
    const auto may = [&](std::size_t n) { return x_drives - live.size() + n <= x_parity; };
    for (const unsigned d : x_judge.judge(seen, may)) {
      live.erase(d);
      x_waits.erase(d);
    }
  }
  void judge(unsigned times) {
    while (times-- > 0) {
      judge();
    }
  }

  std::set<unsigned> live;
  unsigned tick = 0;

 private:
  struct Question {
    unsigned drive, asked;
    std::shared_ptr<std::atomic<bool>> answered;
  };
  bool frozen(unsigned drive) const {
    const auto at = x_frozen.find(drive);
    return at != x_frozen.end() && at->second.first <= tick && tick < at->second.second;
  }
  void answer() {
    std::erase_if(x_waits, [this](const auto& w) { return !frozen(w.first); });
    std::erase_if(x_questions, [this](const Question& q) {
      const auto slow = x_slow.find(q.drive);
      const bool done =
          !frozen(q.drive) && tick >= q.asked + (slow == x_slow.end() ? 0 : slow->second);
      if (done) {
        q.answered->store(true);
      }
      return done;
    });
  }

  const unsigned x_drives, x_parity;
  std::map<unsigned, std::pair<unsigned, unsigned>> x_frozen;
  std::map<unsigned, unsigned> x_slow, x_waits;
  std::vector<Question> x_questions;
  HangJudge x_judge{[this](unsigned drive, auto answered) {
    x_questions.push_back({drive, tick, std::move(answered)});
  }};
};

/// A request that writes to one drive after the other, as the drives before it answer or leave:
/// how many judgements it takes.
unsigned request(Box& box, const std::vector<unsigned>& drives) {
  const unsigned began = box.tick;
  for (const unsigned drive : drives) {
    box.write(drive);
    while (!box.written(drive) && box.tick < began + 10'000) {
      box.judge();
    }
  }
  return box.tick - began;
}

TEST(HangJudge, OneThatHangsLeavesAfterFiveSeconds) {
  Box box(6, 2);
  box.freeze(0, 0);
  EXPECT_LE(request(box, {0, 1}), kHung + 3);
  EXPECT_FALSE(box.live.contains(0));
  EXPECT_EQ(box.live.size(), 5U);
}

TEST(HangJudge, DrivesThatHangTogetherAreWaitedForTogether) {
  Box box(6, 2);
  box.freeze(0, 0);
  box.freeze(1, 0);
  const unsigned took = request(box, {0, 1, 2});
  EXPECT_EQ(box.live, (std::set<unsigned>{2, 3, 4, 5}));
  EXPECT_LE(took, kHung + 10) << "one after the other it would be twice as long";
  Box three(12, 3);
  for (unsigned d = 0; d < 3; ++d) {
    three.freeze(d, 0);
  }
  EXPECT_LE(request(three, {0, 1, 2, 3}), kHung + 15);
  EXPECT_EQ(three.live.size(), 9U);
}

// What a request waits is what has gone by since the last of them began to hang, and little more.
TEST(HangJudge, OneThatBeginsToHangMeanwhileIsFoundFromThenOn) {
  for (unsigned later = 1; later <= kHung; ++later) {
    Box box(6, 2);
    box.freeze(0, 0);
    box.freeze(1, later);
    EXPECT_LE(request(box, {0, 1, 2}), later + kHung + 20) << later;
    EXPECT_EQ(box.live.size(), 4U) << later;
  }
}

TEST(HangJudge, ASlowAnswerIsNotAHang) {
  Box box(6, 2);
  box.freeze(0, 0);
  box.slow_to_ask(1, kHung * 3 / 2);
  request(box, {0, 1, 2});
  EXPECT_EQ(box.live.size(), 5U);
  for (unsigned i = 0; i < 300; ++i) {
    request(box, {i % 2 + 1});
    box.judge();
  }
  EXPECT_EQ(box.live.size(), 5U) << "it takes what is written to it";
}

TEST(HangJudge, ALateTransferAloneIsNotAHang) {
  Box box(6, 2);
  for (unsigned i = 0; i < 50; ++i) {
    box.freeze(0, box.tick, box.tick + kHung - 5);
    request(box, {0});
    box.judge(3);
  }
  EXPECT_EQ(box.live.size(), 6U);
}

TEST(HangJudge, AMachineThatStandsStillLosesNobody) {
  for (unsigned first = 0; first < 30; first += 5) {
    Box box(6, 2);
    for (unsigned d = 0; d < 4; ++d) {
      box.freeze(d, first + d * 5, first + 95);
    }
    box.judge(first);
    for (unsigned d = 0; d < 4; ++d) {
      box.write(d);
      box.judge(5);
    }
    box.judge(200);
    EXPECT_EQ(box.live.size(), 6U) << first;
    for (unsigned d = 0; d < 4; ++d) {
      EXPECT_LE(request(box, {d}), 1U);
    }
  }
}

TEST(HangJudge, MoreThanMayLeaveGoAfterHalfAMinute) {
  Box box(6, 2);
  for (unsigned d = 0; d < 3; ++d) {
    box.freeze(d, 0);
    box.write(d);
  }
  box.judge(300);
  EXPECT_EQ(box.live.size(), 6U);
  box.judge(100);
  EXPECT_EQ(box.live.size(), 3U) << "clients get an answer";
}

// A drive that nobody used is found out when it is, without another five seconds.
TEST(HangJudge, OneThatIsIdleAndHangsLeavesWhenItIsUsed) {
  Box box(6, 2);
  box.freeze(0, 0);
  box.freeze(1, 0);
  request(box, {0});
  box.judge(600);
  EXPECT_EQ(box.live.size(), 5U) << "nobody needs it";
  EXPECT_LE(request(box, {1}), 10U);
  EXPECT_EQ(box.live.size(), 4U);
}

}  // namespace
}  // namespace outcrop::engine
