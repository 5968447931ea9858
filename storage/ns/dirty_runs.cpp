#include "storage/ns/dirty_runs.h"

#include <algorithm>
#include <cstring>

namespace outcrop::ns {
namespace {

// A copied write that continues another one gets a block with room for those to come: a log that
// is written line by line is one run, not thousands.
constexpr std::size_t kAppendBlock = 64 << 10;

// A share is kept if it uses about half of the block that it keeps alive.
bool wasteful(std::size_t used, std::size_t block) { return used * 16 < block * 7; }

}  // namespace

std::uint64_t DirtyRuns::end() const {
  return x_runs.empty() ? 0 : x_runs.rbegin()->first + x_runs.rbegin()->second.size();
}

void DirtyRuns::insert(std::uint64_t offset, Run run) {
  x_bytes += run.size();
  x_runs.insert_or_assign(offset, std::move(run));
}

// Adds `bytes` behind a run of our own that ends at `offset`, if its block has the room.
bool DirtyRuns::extend(std::uint64_t offset, ConstBytes bytes) {
  const auto after = x_runs.lower_bound(offset);
  if (after == x_runs.begin()) {
    return false;
  }
  const auto before = std::prev(after);
  Run& run = before->second;
  if (before->first + run.size() != offset || run.room < bytes.size()) {
    return false;
  }
  std::memcpy(run.data.data() + run.size(), bytes.data(), bytes.size());
  run.data = run.data.grown(bytes.size());
  run.room -= bytes.size();
  x_bytes += bytes.size();
  return true;
}

void DirtyRuns::write(std::uint64_t offset,
                      Buffer data,
                      const std::shared_ptr<WriteBudget>& budget) {
  if (data.size() == 0) {
    return;
  }
  cut(offset, offset + data.size());
  Run run;
  if (wasteful(data.size(), data.pinned_bytes())) {
    if (extend(offset, data.view())) {
      return;
    }
    const auto after = x_runs.lower_bound(offset);
    const bool appends = after != x_runs.begin() &&
                         std::prev(after)->first + std::prev(after)->second.size() == offset;
    const std::size_t block = appends ? std::max(kAppendBlock, data.size()) : data.size();
    const Buffer copy = Buffer::make(block);
    std::memcpy(copy.data(), data.view().data(), data.size());
    run.room = copy.pinned_bytes() - data.size();
    data = copy.slice(0, data.size());
  }
  run.charge = std::make_shared<WriteCharge>(budget, data.pinned_bytes());
  run.data = std::move(data);
  insert(offset, std::move(run));
}

void DirtyRuns::shrink(Run& run, std::size_t from, std::size_t length) {
  if (from + length < run.size()) {
    run.room = 0;  // what lies behind is another run's, or was a reader's
  }
  run.data = run.data.slice(from, length);
}

void DirtyRuns::cut(std::uint64_t from, std::uint64_t to) {
  auto it = x_runs.lower_bound(from);
  if (it != x_runs.begin() && std::prev(it)->first + std::prev(it)->second.size() > from) {
    --it;
  }
  while (it != x_runs.end() && it->first < to) {
    const std::uint64_t start = it->first, end = start + it->second.size();
    Run run = std::move(it->second);
    it = x_runs.erase(it);
    x_bytes -= run.size();
    if (end > to) {
      Run tail = run;
      shrink(tail, to - start, end - to);
      insert(to, std::move(tail));
    }
    if (start < from) {
      shrink(run, 0, from - start);
      insert(start, std::move(run));
    }
  }
}

void DirtyRuns::put_below(DirtyRuns& older) {
  for (const auto& [offset, run] : x_runs) {
    older.cut(offset, offset + run.size());
  }
  x_bytes += older.x_bytes;
  x_runs.merge(older.x_runs);
  older = {};
}

void DirtyRuns::collect(std::uint64_t from, std::uint64_t to, std::vector<PlacedBytes>& out) const {
  auto it = x_runs.upper_bound(from);
  if (it != x_runs.begin() && std::prev(it)->first + std::prev(it)->second.size() > from) {
    --it;
  }
  for (; it != x_runs.end() && it->first < to; ++it) {
    const std::uint64_t begin = std::max(it->first, from);
    const std::uint64_t end = std::min(it->first + it->second.size(), to);
    out.push_back({begin, it->second.data.slice(begin - it->first, end - begin)});
  }
}

std::uint64_t DirtyRuns::next(std::uint64_t offset, bool written) const {
  auto it = x_runs.upper_bound(offset);
  const bool inside =
      it != x_runs.begin() && std::prev(it)->first + std::prev(it)->second.size() > offset;
  if (inside == written) {
    return offset;
  }
  if (written) {
    return it == x_runs.end() ? UINT64_MAX : it->first;
  }
  std::uint64_t end = std::prev(it)->first + std::prev(it)->second.size();
  for (; it != x_runs.end() && it->first == end; ++it) {
    end += it->second.size();
  }
  return end;
}

std::vector<PlacedBytes> uncovered(const std::vector<PlacedBytes>& under,
                                   const std::vector<PlacedBytes>& over) {
  std::vector<PlacedBytes> out;
  auto next = over.begin();  // the first that does not end before what is looked at
  for (const PlacedBytes& piece : under) {
    for (std::uint64_t at = piece.offset; at < piece.end();) {
      while (next != over.end() && next->end() <= at) {
        ++next;
      }
      const std::uint64_t gap =
          next == over.end() ? piece.end() : std::clamp(next->offset, at, piece.end());
      if (gap > at) {
        out.push_back({at, piece.data.slice(at - piece.offset, gap - at)});
      }
      at = gap == piece.end() ? gap : next->end();
    }
  }
  return out;
}

std::vector<PlacedBytes> overlay(std::vector<PlacedBytes> over,
                                 const std::vector<PlacedBytes>& under) {
  if (under.empty()) {
    return over;
  }
  std::vector<PlacedBytes> below = uncovered(under, over);
  std::vector<PlacedBytes> out;
  out.reserve(over.size() + below.size());
  std::ranges::merge(std::make_move_iterator(over.begin()), std::make_move_iterator(over.end()),
                     std::make_move_iterator(below.begin()), std::make_move_iterator(below.end()),
                     std::back_inserter(out), {}, &PlacedBytes::offset, &PlacedBytes::offset);
  return out;
}

}  // namespace outcrop::ns
