// Linked into every program of a sanitizer build: what the sanitizers should know of libraries that are not
// ours, so that whatever they do report is our own. They ask for these functions by name.

extern "C" {

// Open MPI unloads its plugins at the end; leaks inside them would then have no names to be suppressed by.
int dlclose(void*) { return 0; }

const char* __asan_default_options();
const char* __asan_default_options() {
  // Torch's libraries are not instrumented: a vector that crosses their border looks overrun.
  return "print_suppressions=0:detect_container_overflow=0:detect_stack_use_after_return=1";
}

const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() {
  return "leak:libmpi.so\n"
         "leak:libopen-pal.so\n"
         "leak:libopen-rte.so\n"
         "leak:libpmix.so\n"
         "leak:libhwloc\n"
         "leak:libtorch_cpu.so\n"
         "leak:libc10.so\n"
         "leak:libhdf5\n"  // what it could not write when a file failed to close
         // Open MPI's plugins; where they call vasprintf the stack ends there.
         "leak:mca_\n"
         "leak:__vasprintf_internal\n";
}

const char* __ubsan_default_options();
const char* __ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1"; }

const char* __tsan_default_options();
const char* __tsan_default_options() {
  // Torch and Open MPI are not instrumented: what they do with their own locks is invisible.
  return "ignore_noninstrumented_modules=1:second_deadlock_stack=1";
}

}  // extern "C"
