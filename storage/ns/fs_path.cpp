// The way from a bucket's root to an inode.
#include "storage/ns/fs_inode.h"
#include "storage/ns/fs_operations.h"

namespace outcrop::ns {
namespace {
constexpr std::size_t kMaxDepth = 4096;  // no path of more components has room anywhere
}  // namespace

Task<std::string> path_of(Core& core, FileId file) {
  std::vector<ObjectPtr> steps;
  for (InodeId at = file.ino; at != file.root; at = steps.back()->record.parent) {
    CO_TRY(FoundInode found, co_await find_inode(core, FileId{file.root, at}));
    if (found.object->record.links() == 0 || steps.size() == kMaxDepth) {
      co_return fail(Errc::stale);
    }
    steps.push_back(std::move(found.object));
  }
  std::string out;
  for (auto it = steps.rbegin(); it != steps.rend(); ++it) {
    out.append((*it)->record.name);
  }
  co_return out;
}

}  // namespace outcrop::ns
