// Drives that do not answer: docs/adr/0007-hung-drives.md.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/engine/store.h"

namespace outcrop::engine {
namespace {

constexpr std::chrono::milliseconds kJudge{100};
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

void Store::ask_drive(unsigned slot, std::shared_ptr<std::atomic<bool>> answered) {
  x_drives->disk(static_cast<drives::Slot>(slot))
      ->probe(kProbeFile, [answer = std::move(answered)] { answer->store(true); });
}

// A drive that does not answer leaves, so that nobody waits for it; its calls end with that. Where
// more drives wait than may leave, it is hardly them, so they get more time, but not for ever:
// clients shall get an answer.
Task<> Store::judge_drives() {
  const std::int64_t now = SystemClock().steady_ns();  // as back ends write it
  std::vector<HangJudge::Seen> seen;
  std::size_t gone = 0;
  const drives::EpochRecord record = x_drives->record();
  for (std::size_t i = 0; i < record.members.size(); ++i) {
    const auto slot = static_cast<drives::Slot>(i);
    io::Disk* const disk = x_drives->disk(slot);
    if (record.members[i].uuid.is_nil()) {
      continue;
    }
    if (disk == nullptr || !x_drives->live(slot) || disk->health()->given_up()) {
      ++gone;  // also if no epoch says so yet
      continue;
    }
    const io::DiskHealth& health = *disk->health();
    seen.push_back({slot, health.hung(now)   ? HangJudge::Looks::hung
                          : health.late(now) ? HangJudge::Looks::late
                                             : HangJudge::Looks::well});
  }
  const auto may_leave = [&](std::size_t leave) {
    return gone + leave <= record.parity && x_drives->write_parity(seen.size() - leave);
  };
  for (const unsigned slot : x_judge.judge(seen, may_leave)) {
    io::Disk& disk = *x_drives->disk(static_cast<drives::Slot>(slot));
    log::error("a drive does not answer", {{"drive", disk.name()}});
    disk.health()->give_up();
  }
  co_return ok();
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
