// Drives that do not answer: docs/adr/0007-hung-drives.md.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/engine/store.h"

namespace outcrop::engine {
namespace {

constexpr std::chrono::milliseconds kJudge{100};
/// Judgements of more drives that hang than may leave: half a minute.
constexpr unsigned kMostPatience = 300;
/// Judgements that a probe may take: a second.
constexpr unsigned kProbePatience = 10;
/// Judgements after others waited, too, until a drive that is left is the one: its transfers may be
/// the last to end, and it counts as hanging for half a second after.
constexpr unsigned kCalm = 10;
/// Taken for a spare of the wrong size, and removed, at the next start.
constexpr std::string_view kProbeFile = "spare/probe";

}  // namespace

// From before the first transfer to after the last.
void Store::start_judges() {
  const Executor ex = x_runtime.workers[0]->get_executor();
  const auto judge = [&](std::string what, std::function<Task<>()> step) {
    x_judges.push_back(std::make_unique<Periodic>(ex, kJudge, std::move(what), std::move(step)));
    x_judges.back()->start();
  };
  judge("drives that do not answer", [this] { return judge_drives(); });
  judge("drives that were given up", [this] { return eject_given_up(); });
}

// Whether a drive that seems well takes writes, asked when another one hangs: a machine that stands
// still shows first at the drive that was written to last, and the others must not leave for it one
// by one.
Store::Probe::State Store::probe(drives::Slot slot) {
  Probe& probe = x_probes[slot];
  if (!probe.answered) {
    probe.answered = std::make_shared<std::atomic<bool>>(false);
    x_drives->disk(slot)->probe(kProbeFile, [answer = probe.answered] { answer->store(true); });
  }
  if (probe.answered->load()) {
    return Probe::State::well;
  }
  return ++probe.judgements < kProbePatience ? Probe::State::asked : Probe::State::waiting;
}

// A drive that does not answer leaves, so that nobody waits for it; its calls end with that. Where
// more drives wait than may leave, it is hardly them, so they get more time, but not for ever:
// clients shall get an answer.
Task<> Store::judge_drives() {
  const std::int64_t now = SystemClock().steady_ns();  // as back ends write it
  std::vector<io::Disk*> hung;
  std::vector<drives::Slot> others;
  std::size_t gone = 0, waiting = 0;
  const drives::EpochRecord record = x_drives->record();
  for (std::size_t i = 0; i < record.members.size(); ++i) {
    const auto slot = static_cast<drives::Slot>(i);
    io::Disk* const disk = x_drives->disk(slot);
    if (record.members[i].uuid.is_nil()) {
      continue;
    }
    if (disk == nullptr || !x_drives->live(slot) || disk->health()->given_up()) {
      ++gone;  // also if no epoch says so yet
    } else if (disk->health()->hung(now)) {
      hung.push_back(disk);
    } else if (disk->health()->late(now)) {
      ++waiting;
    } else {
      others.push_back(slot);
    }
  }
  if (hung.empty()) {
    end_episode();
    co_return ok();
  }
  bool asked = false;
  for (const drives::Slot slot : others) {
    const Probe::State state = probe(slot);
    asked = asked || state == Probe::State::asked;
    waiting += state == Probe::State::waiting ? 1 : 0;
  }
  waiting += hung.size();
  const std::size_t live = others.size() + waiting;
  const bool may_leave = gone + waiting <= record.parity &&
                         x_drives->write_parity(live > waiting ? live - waiting : 0);
  if (asked || (!may_leave && ++x_patience < kMostPatience)) {
    x_uneasy = asked ? x_uneasy : kCalm;
    co_return ok();
  }
  if (may_leave && x_uneasy > 0) {
    --x_uneasy;
    co_return ok();
  }
  for (io::Disk* const disk : hung) {
    log::error("a drive does not answer", {{"drive", disk->name()}});
    disk->health()->give_up();
  }
  end_episode();
  co_return ok();
}

void Store::end_episode() {
  x_patience = 0;
  x_uneasy = 0;
  x_probes.clear();
}

// Apart from the judgement, which must go on while this writes to drives that may hang, too.
Task<> Store::eject_given_up() {
  for (const drives::Slot slot : x_drives->live_slots()) {
    if (x_drives->disk(slot)->health()->given_up()) {
      CO_TRYV(co_await x_runtime.pool.run([this, slot] {
        return x_drives->eject(slot, Error(Errc::io_error, "it does not answer"));
      }));
    }
  }
  co_return ok();
}

}  // namespace outcrop::engine
