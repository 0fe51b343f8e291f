CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`hash` blob NOT NULL,
	`scopes` text NOT NULL,
	`task` text,
	`profile_prefix` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE TABLE `profile_history` (
	`task` text NOT NULL,
	`id` text NOT NULL,
	`masks` blob NOT NULL,
	`label_bias` blob,
	`generation` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`task`, `id`, `generation`)
);
--> statement-breakpoint
CREATE TABLE `tombstones` (
	`task` text NOT NULL,
	`id` text NOT NULL,
	`generation` integer NOT NULL,
	PRIMARY KEY(`task`, `id`)
);
