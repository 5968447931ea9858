#include "tests/support/sparse_content.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace outcrop::test {

std::uint64_t SparseContent::used() const {
  std::uint64_t sum = 0;
  for (const auto& [offset, run] : x_runs) {
    sum += run.size();
  }
  return sum;
}

SparseContent::Runs::const_iterator SparseContent::run_behind(std::uint64_t offset) const {
  auto it = x_runs.upper_bound(offset);
  if (it != x_runs.begin()) {
    const auto before = std::prev(it);
    if (before->first + before->second.size() > offset) {
      return before;
    }
  }
  return it;
}

void SparseContent::resize(std::uint64_t size) {
  if (size < x_size) {
    punch(size, x_size - size);
  }
  x_size = size;
}

void SparseContent::punch(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = offset + length;
  for (auto it = run_behind(offset); it != x_runs.end() && it->first < end;) {
    const std::uint64_t begin = it->first;
    std::string run = std::move(x_runs.extract(it).mapped());
    const std::uint64_t run_end = begin + run.size();
    if (run_end > end) {
      x_runs.emplace(end, run.substr(end - begin));
    }
    if (begin < offset) {
      run.resize(offset - begin);
      x_runs.emplace(begin, std::move(run));
    }
    it = run_behind(std::min(run_end, end));
  }
}

void SparseContent::write(std::uint64_t offset, std::string_view data) {
  if (data.empty()) {
    return;
  }
  punch(offset, data.size());
  const std::uint64_t end = offset + data.size();
  auto at = x_runs.lower_bound(offset);
  if (at != x_runs.begin() && std::prev(at)->first + std::prev(at)->second.size() == offset) {
    at = std::prev(at);
    at->second.append(data);
  } else {
    at = x_runs.emplace(offset, data).first;
  }
  if (const auto next = x_runs.find(end); next != x_runs.end()) {
    at->second.append(next->second);
    x_runs.erase(next);
  }
  x_size = std::max(x_size, end);
}

std::string SparseContent::read(std::uint64_t offset, std::uint64_t length) const {
  if (offset >= x_size) {
    return {};
  }
  const std::uint64_t end = offset + std::min(length, x_size - offset);
  std::string out(end - offset, '\0');
  for (auto it = run_behind(offset); it != x_runs.end() && it->first < end; ++it) {
    const std::uint64_t from = std::max(it->first, offset);
    const std::uint64_t to = std::min(it->first + it->second.size(), end);
    out.replace(from - offset, to - from, it->second, from - it->first, to - from);
  }
  return out;
}

void SparseContent::clone(const SparseContent& source,
                          std::uint64_t source_offset,
                          std::uint64_t offset,
                          std::uint64_t length) {
  std::vector<std::pair<std::uint64_t, std::string>> runs;
  const std::uint64_t end = source_offset + length;
  for (auto it = source.run_behind(source_offset); it != source.x_runs.end() && it->first < end;
       ++it) {
    const std::uint64_t from = std::max(it->first, source_offset);
    const std::uint64_t to = std::min(it->first + it->second.size(), end);
    runs.emplace_back(offset + (from - source_offset),
                      it->second.substr(from - it->first, to - from));
  }
  punch(offset, length);
  for (const auto& [at, run] : runs) {
    write(at, run);
  }
  x_size = std::max(x_size, offset + length);
}

std::optional<std::uint64_t> SparseContent::next_data(std::uint64_t offset) const {
  const auto it = run_behind(offset);
  if (it == x_runs.end()) {
    return std::nullopt;
  }
  return std::max(it->first, offset);
}

std::uint64_t SparseContent::next_hole(std::uint64_t offset) const {
  const auto it = run_behind(offset);
  if (it == x_runs.end() || it->first > offset) {
    return offset;
  }
  return it->first + it->second.size();
}

}  // namespace outcrop::test
