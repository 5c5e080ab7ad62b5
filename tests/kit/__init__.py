"""What the tests share: keys and timeouts, stores that can be watched, browsers, servers, threads, and short apps.

Everything here is typed, and checked as strictly as the library itself. What one folder alone needs stays there.
"""
