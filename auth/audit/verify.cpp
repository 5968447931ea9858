#include "auth/audit/verify.h"

#include <algorithm>
#include <fstream>

namespace outcrop::audit {
namespace {

struct File {
  std::filesystem::path path;
  std::uint64_t first = 0;  ///< number of its first good line
};

class Verifier {
 public:
  explicit Verifier(const std::optional<Link>& known) : x_known(known) {}

  void file(const File& f, bool newest) {
    std::ifstream in(f.path, std::ios::binary);
    std::string text;
    x_line = 0;
    x_name = f.path.string();
    std::error_code ec;
    if (std::filesystem::is_directory(f.path, ec)) {
      problem("is a folder: name the files in it, as in " + (f.path / "audit.log*").string());
      return;
    }
    while (std::getline(in, text)) {
      ++x_line;
      const bool whole = !in.eof();  // it ended with a newline
      if (!whole && newest) {
        x_out.unfinished = true;
        return;
      }
      check(text);
    }
    if (in.bad() || (!in.is_open())) {
      problem("cannot be read");
    }
  }

  Verdict finish() && {
    if (x_out.lines == 0 && x_out.problems.empty()) {
      x_name = "chain";
      x_line = 0;
      problem("there is no line in it: a log has one from its first start on");
    }
    if (x_known && !x_found) {
      x_name = "chain";
      x_line = 0;
      problem("line " + std::to_string(x_known->seq) + " with the noted hash is not there");
    }
    if (x_more > 0) {
      x_out.problems.push_back("and " + std::to_string(x_more) + " more");
    }
    return std::move(x_out);
  }

  void problem(const std::string& what) {
    if (x_out.problems.size() == kMaxProblems) {
      ++x_more;
      return;
    }
    x_out.problems.push_back(x_name + (x_line > 0 ? ":" + std::to_string(x_line) : "") + ": " +
                             what);
  }

 private:
  void check(const std::string& text) {
    const std::optional<Line> line = parse_line(text);
    if (!line) {
      problem("changed: it does not have the hash that it says");
      x_broken = true;
      return;
    }
    if (x_out.lines == 0) {
      x_out.first = line->link;
    } else if (!x_broken && line->link.seq != x_out.last.seq + 1) {
      problem("number " + std::to_string(line->link.seq) + " follows number " +
              std::to_string(x_out.last.seq));
    } else if (!x_broken && line->prev != x_out.last.hash) {
      problem("does not follow from the line before");
    }
    x_broken = false;
    ++x_out.lines;
    x_out.last = line->link;
    x_found = x_found || (x_known && *x_known == line->link);
    count(text);
  }

  void count(std::string_view text) {
    x_out.starts += is_mark(text, kStart) ? 1 : 0;
    x_out.stops += is_mark(text, kStop) ? 1 : 0;
    x_out.torn += is_mark(text, kTorn) ? 1 : 0;
    if (is_mark(text, kGap)) {
      x_out.dropped += count_in(text, "dropped");
      x_out.suppressed += count_in(text, "suppressed");
    }
    if (is_mark(text, kDamaged)) {
      problem("the server found the log damaged and started a new chain");
    }
  }

  const std::optional<Link>& x_known;
  Verdict x_out;
  std::string x_name;
  std::uint64_t x_line = 0, x_more = 0;
  bool x_broken = false;  ///< the line before could not be read: its number and hash are unknown
  bool x_found = false;
};

std::uint64_t first_number(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  while (std::getline(in, text)) {
    if (const std::optional<Line> line = parse_line(text)) {
      return line->link.seq;
    }
  }
  return UINT64_MAX;  // a new file whose first line was cut off
}

}  // namespace

Verdict verify_chain(const std::vector<std::filesystem::path>& paths,
                     const std::optional<Link>& known) {
  std::vector<File> files;
  for (const std::filesystem::path& path : paths) {
    files.push_back({path, first_number(path)});
  }
  std::ranges::sort(files, {}, &File::first);
  Verifier verifier(known);
  for (const File& f : files) {
    verifier.file(f, &f == &files.back());
  }
  return std::move(verifier).finish();
}

}  // namespace outcrop::audit
