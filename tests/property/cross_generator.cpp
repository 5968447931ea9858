#include "tests/property/cross_generator.h"

#include <algorithm>

namespace outcrop::test {
namespace {

using enum OpKind;

constexpr std::size_t kManyNodes = 130;
constexpr std::uint64_t kLongest = 150'000;
constexpr unsigned kSlots = 8;
constexpr int kDeepest = 6;

struct Weight {
  OpKind kind;
  unsigned weight;
};
constexpr Weight kWeights[] = {{put, 60},
                               {get, 25},
                               {stat, 20},
                               {remove_key, 40},
                               {copy, 20},
                               {rename_key, 30},
                               {list, 25},
                               {open_reader, 6},
                               {check_reader, 10},
                               {create_upload, 5},
                               {put_part, 12},
                               {copy_part, 6},
                               {complete, 9},
                               {abort, 4},
                               {lookup, 40},
                               {parent, 5},
                               {read_directory, 30},
                               {create, 45},
                               {mkdir, 25},
                               {symlink, 8},
                               {read_symlink, 4},
                               {link, 20},
                               {OpKind::remove, 45},
                               {OpKind::rename, 50},
                               {OpKind::read, 25},
                               {OpKind::write, 70},
                               {commit, 12},
                               {get_attributes, 25},
                               {set_attributes, 35},
                               {allocate, 8},
                               {deallocate, 8},
                               {seek, 8},
                               {OpKind::clone, 12},
                               {set_xattr, 15},
                               {get_xattr, 8},
                               {remove_xattr, 6},
                               {list_xattrs, 6},
                               {hold, 14},
                               {release, 12},
                               {reap, 2},
                               {OpKind::flush, 2},
                               {tick, 4},
                               {restart, 1},
                               {crash, 2}};

unsigned total_weight() {
  unsigned total = 0;
  for (const Weight& w : kWeights) {
    total += w.weight;
  }
  return total;
}

bool is_regular(const Node& node) { return node.regular(); }
bool is_directory(const Node& node) { return node.directory(); }
bool is_symlink(const Node& node) { return node.type == ns::FileType::symlink; }
bool is_any(const Node&) { return true; }

bool runs_alone(OpKind kind) {
  return kind == open_reader || kind == check_reader || kind == copy_part ||
         kind == read_directory || kind >= hold;
}

}  // namespace

OpKind CrossGenerator::some_kind() {
  if (x_model->nodes().size() > kManyNodes && pick(2) == 0) {
    return pick(2) == 0 ? remove_key : OpKind::remove;
  }
  static const unsigned kTotal = total_weight();
  std::uint64_t at = pick(kTotal);
  for (const Weight& w : kWeights) {
    if (at < w.weight) {
      return w.kind;
    }
    at -= w.weight;
  }
  return stat;
}

Op CrossGenerator::next(const CrossModel& model) {
  x_model = &model;
  for (;;) {
    Op op;
    op.kind = some_kind();
    if (draw(op)) {
      return op;
    }
  }
}

std::pair<Op, Op> CrossGenerator::pair(const CrossModel& model) {
  x_pairing = true;
  std::pair<Op, Op> out;
  do {
    out.first = next(model);
  } while (runs_alone(out.first.kind));
  do {
    out.second = next(model);
  } while (runs_alone(out.second.kind));
  // The same keys, names and inodes: there they meet.
  const bool keys = out.first.kind <= abort && out.second.kind <= abort;
  const bool names = out.first.kind >= lookup && out.second.kind >= lookup;
  if (keys && pick(2) == 0 && !out.first.key.empty() && !out.second.key.empty() &&
      out.second.upload.empty()) {
    out.second.key = out.first.key;
  }
  if (out.first.kind == put_part && out.second.kind == put_part) {
    out.second.number = out.first.number + 1;  // nothing tells which of two came last
  }
  if (names && pick(2) == 0) {
    out.second.file = out.first.file;
    const bool both_named = out.first.kind <= OpKind::rename && out.second.kind <= OpKind::rename;
    out.second.name = both_named && pick(2) == 0 ? out.first.name : out.second.name;
  }
  x_pairing = false;
  return out;
}

bool CrossGenerator::draw(Op& op) {
  if (op.kind <= check_reader) {
    return draw_key(op);
  }
  if (op.kind <= abort) {
    return draw_upload(op);
  }
  if (op.kind <= OpKind::rename) {
    return draw_names(op);
  }
  if (op.kind <= OpKind::clone) {
    return draw_data(op);
  }
  return op.kind <= list_xattrs ? draw_xattr(op) : draw_open(op);
}

// 0: there is none.
InodeId CrossGenerator::some_inode(bool (*wanted)(const Node&)) {
  std::vector<InodeId> all;
  for (const auto& [id, node] : x_model->nodes()) {
    if (node.ino != 0 && wanted(node)) {
      all.push_back(node.ino);
    }
  }
  return all.empty() ? 0 : all[pick(all.size())];
}

ns::FileId CrossGenerator::some_directory() {
  const std::uint64_t which = pick(40);
  if (which == 0 && !x_model->gone().empty()) {
    return id(x_model->gone()[pick(x_model->gone().size())]);
  }
  if (which == 1) {
    return id(some_inode(is_any));
  }
  return which < 8 ? x_root : id(some_inode(is_directory));
}

ns::FileId CrossGenerator::some_file() {
  const std::uint64_t which = pick(30);
  if (which == 0 && !x_model->gone().empty()) {
    return id(x_model->gone()[pick(x_model->gone().size())]);
  }
  const InodeId ino = which == 1 ? 0 : some_inode(is_regular);
  return id(ino == 0 ? some_inode(is_any) : ino);
}

std::string CrossGenerator::new_name() {
  static const std::vector<std::string> kNames = {
      "a", "a", "b", "b", "c", "d", "dir", "a.txt", "a-b", "a0", "~", "\xc3\xbc", "%2F", "e", "f.1",
      std::string(100, 'l'), std::string(255, 'n'),
      // From here on such as are refused.
      std::string(256, 'n'), "", ".", "..", "x/y", std::string("z\0", 2), "\xff", ".s3~x", ".s3~"};
  if (x_long && pick(3) == 0) {
    return std::string(ns::kMaxFileNameBytes, "nm"[pick(2)]);
  }
  return kNames[pick(pick(12) == 0 ? kNames.size() : kNames.size() - 9)];
}

// What is there, or not.
std::string CrossGenerator::some_name(ns::FileId directory) {
  const Node* node = x_model->find(directory.ino);
  if (!node || !node->directory() || node->entries.empty() || pick(4) == 0) {
    return new_name();
  }
  const auto at =
      std::next(node->entries.begin(), static_cast<std::ptrdiff_t>(pick(node->entries.size())));
  return x_model->shown(*node, at->first);
}

ns::SetAttributes CrossGenerator::some_set(bool with_size) {
  ns::SetAttributes out;
  if (pick(3) == 0) {
    out.mode = static_cast<std::uint32_t>(pick(010000));
  }
  if (pick(4) == 0) {
    out.uid = static_cast<std::uint32_t>(pick(2000));
    out.gid = static_cast<std::uint32_t>(pick(2000));
  }
  if (pick(5) == 0) {
    out.mtime_ns = static_cast<std::int64_t>(pick(1'000'000'000)) * 1'000'000'000;
  }
  if (pick(8) == 0) {
    out.atime_ns = 5;
  }
  if (with_size) {
    out.size = pick(3) == 0 ? 0 : pick(pick(3) == 0 ? kLongest : 5000);
  }
  return out;
}

bool CrossGenerator::draw_names(Op& op) {
  op.file = some_directory();
  const Node* directory = x_model->find(op.file.ino);
  const bool needs_entries = op.kind == OpKind::remove || op.kind == OpKind::rename;
  for (int i = 0; i < 4 && needs_entries && directory && directory->entries.empty(); ++i) {
    op.file = some_directory();
    directory = x_model->find(op.file.ino);
  }
  const NodeId node = x_model->id_of(op.file.ino);
  const bool deep = directory && directory->directory() &&
                    std::ranges::count(x_model->path_of(node), '/') >= kDeepest;
  switch (op.kind) {
    case lookup:
      op.name = some_name(op.file);
      return true;
    case read_directory:
      return draw_page(op);
    case create:
      op.name = pick(4) == 0 ? some_name(op.file) : new_name();
      op.create.how = static_cast<ns::CreateMode>(pick(3));
      op.create.verifier = pick(3);
      op.create.attributes = some_set(pick(6) == 0);
      return true;
    case mkdir:
      op.name = pick(8) == 0 ? some_name(op.file) : new_name();
      op.set = some_set(false);
      return !deep;
    case symlink:
      op.name = new_name();
      op.name2 = "to/" + std::to_string(pick(100));
      op.set = some_set(false);
      return true;
    case read_symlink:
      op.file = id(pick(5) == 0 ? some_inode(is_any) : some_inode(is_symlink));
      return op.file.ino != 0;
    case OpKind::link:
      op.other = pick(8) == 0 ? id(some_inode(is_any)) : some_file();
      op.name = new_name();
      return true;
    case OpKind::remove:
      op.name = some_name(op.file);
      op.how = pick(3) == 0 ? static_cast<ns::RemoveKind>(pick(3)) : ns::RemoveKind::any;
      return true;
    case OpKind::rename:
      op.name = some_name(op.file);
      op.other = pick(3) == 0 ? op.file : some_directory();
      op.name2 = pick(3) == 0 ? some_name(op.other) : new_name();
      if (const NodeId to = x_model->id_of(op.other.ino);
          to != 0 && x_model->node(to).directory()) {
        return std::ranges::count(x_model->path_of(to), '/') < kDeepest;
      }
      return true;
    default:
      return true;
  }
}

// From the start, or on from where some client's last page ended.
bool CrossGenerator::draw_page(Op& op) {
  op.length = pick(3) == 0 ? 100 : 1 + pick(4);
  const auto& positions = x_model->positions();
  if (!positions.empty() && pick(2) == 0) {
    const auto at =
        std::next(positions.begin(), static_cast<std::ptrdiff_t>(pick(positions.size())));
    const auto directory = x_model->nodes().find(at->first.first);
    if (directory != x_model->nodes().end() && directory->second.ino != 0) {
      op.file = id(directory->second.ino);
      op.offset = at->first.second;
    }
  }
  return true;
}

bool CrossGenerator::draw_range(Op& op) {
  static constexpr std::uint64_t kScales[] = {10, 300, 3'000, 3'000, 30'000};
  const Node* node = x_model->find(op.file.ino);
  const std::uint64_t size = node && node->regular() ? node->content->size() : 100;
  const std::uint64_t which = pick(5);
  op.offset = which == 0 ? size : which == 1 ? pick(size + 20'000) : pick(size + 1);
  op.length = pick(20) == 0 ? 0 : 1 + pick(kScales[pick(5)]);
  return op.offset + op.length < kLongest;
}

bool CrossGenerator::draw_data(Op& op) {
  op.file = some_file();
  switch (op.kind) {
    case commit:
      return true;
    case get_attributes:
      op.file = id(some_inode(is_any));
      return true;
    case set_attributes:
      return draw_set_attributes(op);
    case OpKind::write: {
      if (!draw_range(op)) {
        return false;
      }
      const auto salt = static_cast<char>(x_random());
      op.data.resize(std::exchange(op.length, 0));
      for (std::size_t i = 0; i < op.data.size(); ++i) {
        op.data[i] = static_cast<char>(salt + (i >> 3) + i * 5);
      }
      op.flag = pick(8) == 0;
      return true;
    }
    case OpKind::clone: {
      op.other = pick(5) == 0 ? op.file : some_file();
      if (!draw_range(op)) {
        return false;
      }
      const Node* source = x_model->find(op.file.ino);
      if (source && source->regular() && pick(8) != 0) {
        op.length = std::min<std::uint64_t>(
            op.length,
            source->content->size() - std::min<std::uint64_t>(op.offset, source->content->size()));
      }
      op.offset2 = pick(pick(4) == 0 ? 60'000 : 5'000);
      return true;
    }
    default:
      op.flag = pick(2) == 0;
      return draw_range(op);
  }
}

bool CrossGenerator::draw_set_attributes(Op& op) {
  if (pick(3) == 0) {
    op.file = pick(3) == 0 ? id(some_inode(is_any)) : some_directory();
    op.set = some_set(pick(10) == 0);
  } else {
    op.set = some_set(pick(2) == 0);
    const Node* node = x_model->find(op.file.ino);
    if (op.set.size && node && node->regular() && pick(6) == 0) {
      op.set.size = node->content->size();
    }
  }
  const Node* node = x_model->find(op.file.ino);
  if (pick(8) == 0 && node && node->ctime != 0 && !node->ctime_moved && !node->dirty &&
      !node->directory()) {
    op.guard = node->ctime - (pick(3) == 0 ? 1 : 0);
  }
  return true;
}

bool CrossGenerator::draw_xattr(Op& op) {
  static const std::vector<std::string> kNames = {"user.a",
                                                  "user.a",
                                                  "user.b",
                                                  "user.s3.meta.k",
                                                  "user.s3.meta.k",
                                                  "user.s3.meta.n",
                                                  "user.s3.content-type",
                                                  "user.s3.etag",
                                                  "user.",
                                                  "trusted.a"};
  op.file = pick(4) == 0 ? id(some_inode(is_any)) : some_file();
  if (op.kind == list_xattrs) {
    return true;
  }
  op.name = kNames[pick(kNames.size())];
  if (op.kind == set_xattr) {
    op.name2 = std::string(pick(pick(8) == 0 ? 500 : 20), 'v');
    op.mode = static_cast<ns::FileSystem::XattrMode>(pick(3));
  }
  return true;
}

bool CrossGenerator::draw_open(Op& op) {
  op.slot = static_cast<unsigned>(pick(kSlots));
  const bool used = x_model->holds().contains(op.slot);
  if (op.kind == hold) {
    op.file = pick(6) == 0 ? some_directory() : some_file();
    const Node* node = x_model->find(op.file.ino);
    return !used && (!node || x_model->may_hold(*node));
  }
  if (op.kind != release) {
    op.slot = 0;
    return op.kind != restart || pick(3) == 0;
  }
  return used;
}

}  // namespace outcrop::test
