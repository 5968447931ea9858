#include "storage/engine/hang_judge.h"

#include <algorithm>
#include <utility>

namespace outcrop::engine {

// All are asked as soon as one is late, and again each second, so that drives that hang together
// are found together and not each in its turn, when a write has waited for the one before. It also
// tells a machine that stands still, which shows first at the drive that was written to last: the
// others must not leave for it one by one.
void HangJudge::ask_all(std::span<const Seen> drives) {
  for (const Seen& seen : drives) {
    Probe& probe = x_probes[seen.drive];
    ++probe.judgements;
    const bool first = !probe.answered;
    if (first || (!probe.open() && probe.judgements >= kProbePatience)) {
      probe.ever = !first;
      probe.answered = std::make_shared<std::atomic<bool>>(false);
      probe.judgements = 0;
      x_ask(seen.drive, probe.answered);
    }
  }
}

// One that answers neither a question nor the transfer that now needs it has hung since it was
// asked. A slow answer alone is none of that: what syncs behind much data takes long.
std::vector<unsigned> HangJudge::who_hangs(std::span<const Seen> drives) {
  std::vector<unsigned> out;
  for (const Seen& seen : drives) {
    const Probe& probe = x_probes[seen.drive];
    const bool mute = probe.open() && probe.judgements >= kProbeHung;
    if (seen.looks == Looks::hung || (seen.looks == Looks::late && mute && x_hung_seen)) {
      out.push_back(seen.drive);
    }
  }
  return out;
}

// Nobody hangs. The questions that are open stay so, also while nobody is late: a drive that is not
// used says nothing else.
void HangJudge::rest(bool suspect) {
  x_patience = 0;
  x_uneasy = 0;
  const bool open = std::ranges::any_of(x_probes, [](const auto& p) { return p.second.open(); });
  if (!suspect && !open) {
    x_probes.clear();
    x_hung_seen = false;
  }
}

std::vector<unsigned> HangJudge::judge(std::span<const Seen> drives, const MayLeave& may_leave) {
  std::erase_if(x_probes, [&](const auto& probe) {
    return std::ranges::find(drives, probe.first, &Seen::drive) == drives.end();  // it has left
  });
  const auto not_well = [](const Seen& seen) { return seen.looks != Looks::well; };
  const bool suspect = std::ranges::any_of(drives, not_well);
  if (!suspect && x_probes.empty()) {
    return {};
  }
  x_hung_seen = x_hung_seen || std::ranges::find(drives, Looks::hung, &Seen::looks) != drives.end();
  if (suspect) {
    ask_all(drives);
  } else {
    for (auto& [drive, probe] : x_probes) {
      ++probe.judgements;
    }
  }
  std::vector<unsigned> hung = who_hangs(drives);
  if (hung.empty()) {
    rest(suspect);
    return {};
  }
  bool asked = false;
  std::size_t waiting = 0;
  for (const Seen& seen : drives) {
    const Probe& probe = x_probes[seen.drive];
    const bool overdue = probe.open() && probe.judgements >= kProbePatience;
    asked = asked || (seen.looks == Looks::well && probe.open() && !probe.ever && !overdue);
    waiting += seen.looks != Looks::well || overdue ? 1 : 0;
  }
  const bool may = may_leave(waiting);
  if (asked || (!may && ++x_patience < kMostPatience)) {
    x_uneasy = asked ? x_uneasy : kCalm;
    return {};
  }
  if (may && x_uneasy > 0) {
    --x_uneasy;
    return {};
  }
  x_patience = 0;
  x_uneasy = 0;
  return hung;
}

}  // namespace outcrop::engine
