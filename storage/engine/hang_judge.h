// Which drives that do not answer have to leave: docs/adr/0007-hung-drives.md. Counts judgements,
// of which there are ten a second, and not time: a process that was stopped takes nobody for
// hanging.
#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace outcrop::engine {

/// One thread.
class HangJudge {
 public:
  /// Of more drives that hang than may leave: half a minute.
  static constexpr unsigned kMostPatience = 300;
  /// Until a question that was not answered counts as waiting, and until the next is asked: a
  /// second.
  static constexpr unsigned kProbePatience = 10;
  /// Until one that was not answered is as bad as a transfer, once the drive is late with one, too.
  static constexpr unsigned kProbeHung = 50;
  /// After others waited, too, until a drive that is left is the one: its transfers may be the last
  /// to end, and it counts as hanging for half a second after.
  static constexpr unsigned kCalm = 10;

  enum class Looks : std::uint8_t { well, late, hung };
  struct Seen {
    unsigned drive = 0;
    Looks looks = Looks::well;
  };
  /// Makes a drive write something small; sets the flag when it has, on any thread, or never.
  using Ask = std::function<void(unsigned drive, std::shared_ptr<std::atomic<bool>> answered)>;
  /// Whether so many of the drives may leave, all at once.
  using MayLeave = std::function<bool(std::size_t drives)>;

  explicit HangJudge(Ask ask) : x_ask(std::move(ask)) {}
  /// One judgement over all drives that are there. Who has to leave.
  std::vector<unsigned> judge(std::span<const Seen> drives, const MayLeave& may_leave);

 private:
  /// What was asked of a drive since the first was suspect.
  struct Probe {
    std::shared_ptr<std::atomic<bool>> answered;  ///< shared with the drive, which may never
    unsigned judgements = 0;                      ///< since it was asked
    bool ever = false;                            ///< it has answered one before
    bool open() const { return !answered->load(); }
  };
  void ask_all(std::span<const Seen> drives);
  std::vector<unsigned> who_hangs(std::span<const Seen> drives);
  void rest(bool suspect);

  const Ask x_ask;
  std::map<unsigned, Probe> x_probes;
  bool x_hung_seen = false;  ///< a transfer hung since the first was suspect
  unsigned x_patience = 0;   ///< judgements of this that found more to wait than may leave
  unsigned x_uneasy = 0;     ///< judgements until what still hangs does so by itself
};

}  // namespace outcrop::engine
