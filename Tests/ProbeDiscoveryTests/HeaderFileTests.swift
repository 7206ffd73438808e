import Testing

@testable import ProbeDiscovery

@Suite("A C header is read as a compiler would, as far as functions go")
struct HeaderFileTests {
  private func functions(_ text: String) -> [String] {
    HeaderFile(text: Array(text.utf8)).functions.map { function in
      let arguments = function.arguments.map { "\($0.type) \($0.label) \($0.byteCount)" }
      return (function.isInline ? "inline " : "") + function.name
        + "(" + arguments.joined(separator: ", ") + ")"
    }
  }

  @Test("an argument's index is the integer register that it is in")
  func registers() {
    let functions = HeaderFile(
      text: Array(
        """
        double mixed(double x, int n, const float *scale, float y, void *data);
        int by_value(int first, struct pair both, int behind);
        int many(int a, int b, int c, int d, int e, int f, int seventh);
        """.utf8)
    ).functions
    func indices(_ index: Int) -> [String] {
      functions[index].arguments.map { "\($0.label):\($0.index)" }
    }
    #expect(indices(0) == ["n:0", "scale:1", "data:2"])
    // Nobody who reads the declaration alone knows how many registers the structure takes.
    #expect(indices(1) == ["first:0"])
    #expect(indices(2) == ["a:0", "b:1", "c:2", "d:3", "e:4", "f:5"])
  }

  @Test("a system call's declaration, as linux/syscalls.h has it")
  func syscall() {
    #expect(
      functions(
        """
        asmlinkage long sys_openat(int dfd, const char __user *filename, int flags,
                                   umode_t mode);
        """) == [
          "sys_openat(int dfd 4, const char * filename 256, int flags 4, umode_t mode 2)"
        ])
  }

  @Test("attributes, comments, macros, texts and bodies are passed over")
  func noise() {
    #expect(
      functions(
        """
        #define NOT_ME(x) int not_me(x); \\
          int nor_me(void);
        /* int in_a_comment(void); */ // int nor_here(void);
        extern "C" {
        extern int fopen_s (const char *__restrict path) __attribute__ ((nonnull (1))) ;
        typedef int (*callback)(void *);
        struct s { int (*member)(int); };
        int array[sizeof(int)];
        static inline int quick(int a) { return other(a); }
        int with_body(void) { char c = '"'; return f("}"); }
        void *pointer(size_t n, struct s *s, void (*done)(int), char name[16], ...);
        unsigned long (*variable)(void);
        }
        """) == [
          "fopen_s(const char * path 256)",
          "inline quick(int a 4)",
          "with_body()",
          "pointer(size_t n 8, struct s * s 8, void (*)() done 8, char * name 256)",
        ])
  }

  @Test("unfinished text ends the search and nothing else", arguments: ["int f(", "{", "\"", "/*"])
  func unfinished(text: String) {
    #expect(functions(text).isEmpty)
  }
}
