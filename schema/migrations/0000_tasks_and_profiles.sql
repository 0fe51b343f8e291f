CREATE TABLE `profiles` (
	`task` text NOT NULL,
	`id` text NOT NULL,
	`masks` blob NOT NULL,
	`generation` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`task`, `id`),
	FOREIGN KEY (`task`) REFERENCES `tasks`(`name`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `tasks` (
	`name` text PRIMARY KEY NOT NULL,
	`bundle` text NOT NULL,
	`labels` text NOT NULL,
	`max_tokens` integer NOT NULL,
	`head` blob NOT NULL,
	`masks` blob NOT NULL,
	`generation` integer NOT NULL,
	`updated_at` integer NOT NULL
);
