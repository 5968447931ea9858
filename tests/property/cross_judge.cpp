// What answers show of inodes: taken over the first time, compared from then on.
#include <algorithm>

#include "tests/property/cross_model.h"

namespace outcrop::test {

void CrossModel::see_ino(NodeId id, InodeId ino) {
  Node& node = at(id);
  if (node.ino == ino) {
    return;
  }
  if (node.ino != 0) {
    return problem("inode " + std::to_string(ino) + " instead of " + std::to_string(node.ino));
  }
  if (!x_used.insert(ino).second) {
    problem("inode number " + std::to_string(ino) + " used again");
  }
  node.ino = ino;
  x_by_ino[ino] = id;
}

void CrossModel::see_time(TimeRange& range, std::int64_t mtime_ns) {
  if (mtime_ns < range.from || mtime_ns > range.to) {
    problem("mtime " + std::to_string(mtime_ns) + " not within " + std::to_string(range.from) +
            " and " + std::to_string(range.to));
  }
  range = {mtime_ns, mtime_ns};
}

// Data that waits may get a new number when it is stored; nothing else moves one without a change.
void CrossModel::see_change(Node& node, const ns::FileAttributes& a) {
  const bool may_move =
      node.dirty || node.repacked || (node.directory() && !x_settings.exact_times);
  if (node.change != 0) {
    const bool right = node.moved ? a.change > node.change
                       : may_move ? a.change >= node.change
                                  : a.change == node.change;
    if (!right) {
      problem("change " + std::to_string(a.change) + " after " + std::to_string(node.change) +
              (node.moved ? ", moved" : ", not moved"));
    }
  }
  if (node.ctime != 0) {
    const bool right = node.ctime_moved ? a.ctime_ns > node.ctime
                       : may_move       ? a.ctime_ns >= node.ctime
                                        : a.ctime_ns == node.ctime;
    if (!right) {
      problem("ctime " + std::to_string(a.ctime_ns) + " after " + std::to_string(node.ctime) +
              (node.ctime_moved ? ", moved" : ", not moved"));
    }
  }
  node.change = a.change;
  node.ctime = a.ctime_ns;
  node.moved = false;
  node.ctime_moved = false;
  node.repacked = false;
}

void CrossModel::see(NodeId id, const ns::FileAttributes& a) {
  Node& node = at(id);
  see_ino(id, a.id.ino);
  same("root", a.id.root, x_settings.root.root);
  same("type", static_cast<int>(a.type), static_cast<int>(node.type));
  if (x_relaxed) {
    return;
  }
  same("mode", a.mode, node.mode);
  same("uid", a.uid, node.uid);
  same("gid", a.gid, node.gid);
  same("links", a.links, node.directory() ? 1 : node.links);
  if (node.regular()) {
    same("size", a.size, node.content->size());
  } else {
    same("size", a.size, node.target.size());
  }
  if (a.used > a.size) {
    problem("used " + std::to_string(a.used) + " of " + std::to_string(a.size));
  }
  if (!node.directory() || x_settings.exact_times) {
    see_time(node.mtime, a.mtime_ns);
  }
  see_change(node, a);
}

void CrossModel::see_etag(Node& node, const std::string& etag) {
  const bool same_as_before = etag == node.etag;
  const auto is_new = [&] {
    return etag.size() == 34 && etag.ends_with("-0") &&
           std::ranges::find(node.past_etags, etag) == node.past_etags.end() && !same_as_before;
  };
  bool right = true;
  switch (node.etag_state) {
    case EtagState::known:
      right = same_as_before;
      break;
    case EtagState::fresh:
      right = is_new();
      break;
    case EtagState::either:
      right = same_as_before || is_new();
      break;
    case EtagState::any:
      break;
  }
  if (!right) {
    problem("ETag " + etag + " after " + node.etag);
  }
  if (!same_as_before) {
    node.past_etags.push_back(node.etag);
  }
  node.etag = etag;
  node.etag_state = EtagState::known;
}

void CrossModel::see_info(NodeId id, const ns::ObjectInfo& info) {
  Node& node = at(id);
  see_ino(id, info.ino);
  if (x_relaxed) {
    return;
  }
  same("object size", info.size, node.content->size());
  see_modified(node, info.mtime_ns);
  see_etag(node, info.etag);
  same("content type", info.attributes.content_type, node.attributes.content_type);
  same("attributes", info.attributes, node.attributes);
  if (std::exchange(node.revived, false)) {
    node.checksum = info.checksum;
    node.parts = info.parts;
    if (!info.etag.contains('-')) {
      same("MD5", info.etag, hex_md5(*node.content));
    }
  }
  same("checksum", info.checksum, node.checksum);
  same("parts", info.parts, node.parts);
}

// The changes of one directory form a chain: before this operation it was as seen last, unless
// something had moved it since.
void CrossModel::see_touch(NodeId directory,
                           const ns::DirectoryChange& change,
                           const Answer& answer) {
  Node& node = at(directory);
  if (!x_relaxed && node.change != 0) {
    const bool right = node.moved                                   ? change.before > node.change
                       : x_settings.exact_times && !answer.prepared ? change.before == node.change
                                                                    : change.before >= node.change;
    if (!right || change.after <= change.before) {
      problem("directory change " + std::to_string(change.before) + " to " +
              std::to_string(change.after) + " after " + std::to_string(node.change) +
              (node.moved ? ", moved" : ", not moved"));
    }
  }
  touch(directory, answer);
  if (!x_relaxed) {
    node.change = change.after;
    node.moved = false;
  }
}

void CrossModel::see_data(std::string_view what, std::string_view got, std::string_view wanted) {
  if (got != wanted) {
    const auto where = std::ranges::mismatch(got, wanted).in1 - got.begin();
    problem(std::string(what) + ": " + std::to_string(got.size()) + " bytes instead of " +
            std::to_string(wanted.size()) + ", first difference at " + std::to_string(where));
  }
}

// Of two operations at once the one that stores may have begun before the other one's write came:
// that then still waits, whichever of their orders the answers allow.
void CrossModel::settle(Node& node) {
  if (x_at_once && node.dirty) {
    node.repacked = true;
    return;
  }
  node.stored = {node.content};
  node.repacked = node.repacked || node.dirty;
  node.dirty = false;
  node.lost_upload.clear();
}

// A repeated Complete is not answered for it any more.
void CrossModel::forget_upload(Node& node) {
  node.upload.clear();
  node.lost_upload.clear();
  node.old_upload.clear();
}

void CrossModel::content_changed(Node& node, std::string content, const Answer& answer) {
  node.content = std::make_shared<const std::string>(std::move(content));
  node.stored.push_back(node.content);
  node.etag_state = node.etag_state == EtagState::any ? EtagState::any : EtagState::fresh;
  node.checksum = {};
  node.parts.clear();
  node.revived = false;
  node.old_upload.clear();
  if (!node.upload.empty()) {
    node.lost_upload = std::exchange(node.upload, {});
  }
  set_mtime(node, {answer.from_ns, answer.to_ns});
  changed(node);
}

// A change of what is stored, whatever waits in memory.
void CrossModel::resize(Node& node, std::uint64_t size, const Answer& answer) {
  std::vector<Content> stored;
  for (const Content& before : node.stored) {
    std::string after = *before;
    after.resize(size);
    stored.push_back(std::make_shared<const std::string>(std::move(after)));
  }
  std::string content = *node.content;
  content.resize(size);
  content_changed(node, std::move(content), answer);
  node.stored = std::move(stored);
}

// To the size that it has: no byte changes, and what S3 knows of the content stays true.
void CrossModel::set_size(Node& node, std::uint64_t size, const Answer& answer) {
  const bool changes = size != node.content->size();
  const Node before = node;
  resize(node, size, answer);
  if (!changes) {
    node.revived = before.revived;
    node.upload = before.upload;
    node.old_upload = before.old_upload;
    node.lost_upload = before.lost_upload;
    node.etag_state = before.dirty && before.etag_state == EtagState::known ? EtagState::either
                                                                            : before.etag_state;
    node.checksum = before.checksum;
    node.parts = before.parts;
  }
}

}  // namespace outcrop::test
