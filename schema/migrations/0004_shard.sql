CREATE TABLE `shard` (
	`only` integer PRIMARY KEY NOT NULL,
	`number` integer NOT NULL,
	`count` integer NOT NULL,
	CONSTRAINT "shard_one_row" CHECK(only = 1),
	CONSTRAINT "shard_in_range" CHECK(number >= 0 AND number < count)
);
--> statement-breakpoint
-- This row decides in which database a profile is looked up, so it must not change while there are profiles.
CREATE TRIGGER `shard_written_while_empty` BEFORE INSERT ON `shard` WHEN EXISTS (SELECT 1 FROM `profiles`) BEGIN
	SELECT RAISE(ABORT, 'this database has profiles: its place among the shards can only be set while it has none');
END;
--> statement-breakpoint
CREATE TRIGGER `shard_changed_while_empty` BEFORE UPDATE ON `shard` WHEN EXISTS (SELECT 1 FROM `profiles`) BEGIN
	SELECT RAISE(ABORT, 'this database has profiles: its place among the shards can only be set while it has none');
END;
--> statement-breakpoint
CREATE TRIGGER `shard_deleted_while_empty` BEFORE DELETE ON `shard` WHEN EXISTS (SELECT 1 FROM `profiles`) BEGIN
	SELECT RAISE(ABORT, 'this database has profiles: its place among the shards can only be set while it has none');
END;
