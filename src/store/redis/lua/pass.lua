-- A token whose taker cannot use it goes on. ARGV[2]: its hops.
pass_on(tonumber(ARGV[2]))
return 1
